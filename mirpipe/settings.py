"""The only reader of the environment: every setting is a variable `MIRPIPE_<NAME>`."""

import json
import os
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import platformdirs
from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from mirpipe.errors import ConfigurationError
from mirpipe.generation.modes import MODES, Mode

PROJECT = Path(__file__).resolve().parent.parent
"""The checkout: dags/, dashboard/ and migrations/ stand beside the package."""

_FOLDERS = ("references", "targets")
_CPU_LIMIT = Path("/sys/fs/cgroup/cpu.max")
"""Microseconds of processor time a period, of the container that this process is in."""


def _default_home() -> Path:
    if os.geteuid() == 0:  # root's own home is closed to the user that Postgres must run as
        return Path("/var/lib/mirpipe")
    return platformdirs.user_data_path("mirpipe")


def cores() -> int:
    """Processor cores that this process may use, by its affinity and by its container's limit."""
    present = os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        present = len(os.sched_getaffinity(0))
    try:
        quota, period = _CPU_LIMIT.read_text().split()
        return max(1, min(present, int(quota) // int(period)))
    except (OSError, ValueError):  # no control group, or "max": no limit
        return present


def _models_python() -> Path | None:
    made = PROJECT / ".venv-models" / "bin" / "python"
    return made if made.exists() else None


class Settings(BaseSettings):
    """What a user may choose. Lists of folders are separated as in PATH, names by commas."""

    model_config = SettingsConfigDict(
        env_prefix="MIRPIPE_", extra="ignore", use_attribute_docstrings=True
    )

    home: Path = Field(default_factory=_default_home)
    """Where the embedded Postgres, Airflow's files and logs live; default: your data folder."""

    database_url: str | None = None
    """A Postgres with pgvector to use in place of the embedded one, as the pipeline's role."""
    owner_url: str | None = None
    """The same server as the role that migrates; default: database_url."""
    reader_url: str | None = None
    """The same server as the role that only reads; default: database_url."""
    superuser_url: str | None = None
    """A server that is mirpipe's alone, as its superuser; read by `mirpipe db provision` alone."""

    references: Annotated[list[Path], NoDecode] = []
    """Folders of the library that is searched in."""
    targets: Annotated[list[Path], NoDecode] = []
    """Folders of what is looked for."""
    manifest: Path | None = None
    """CSV with titles and labels: a column `path`, `title`, and any others."""

    encoders: Annotated[list[str], NoDecode] = ["musicnn", "signal"]
    """Encoders that the pipeline keeps up to date, in the order in which they are shown."""
    metrics: Annotated[list[str], NoDecode] = []
    """Models that score every track, such as `audiobox_aesthetics`; none: each needs weights."""
    batch_tracks: int = Field(default=64, ge=1)
    """Tracks per batch: a transaction, and at most what a killed task loses."""
    models_python: Path | None = Field(default_factory=_models_python)
    """The interpreter of the model libraries; default: the one that `make models` made."""
    models_dir: Path | None = None
    """Where weights are kept, as REPOSITORY/FILE; default: home/models; then the hub's cache."""
    stand_ins: Path | None = None
    """Random weights for tests, as REPOSITORY/FILE: read before all others, shown as random."""
    compute_dtype: Literal["float32", "bfloat16", "int8"] = "float32"
    """In which models compute that have the choice; another one makes other revisions."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where models compute; it changes no revision and is stored with each batch."""

    captioner: str = "features"
    """Whose captions generations are made from; empty: none is captioned and none generated."""
    generators: Annotated[list[str], NoDecode] = ["resynth"]
    """Generators that make every target anew; none: nothing is generated."""
    modes: list[Mode] = list(MODES)
    """In which ways, as JSON: `[{"name": "strong", "is_conditioned": true, "guidance": 5}, …]`."""
    guidance_sweep: Annotated[list[float], NoDecode] = []
    """Further guidance values at which conditioned clips are made."""
    seeds: int = Field(default=1, ge=1)
    """Clips a target and mode, of the seeds 0, 1, …"""
    generate_seconds: float = Field(default=30.0, gt=0)
    """A clip is as long as its target, and no longer than this."""
    generate_batch: int = Field(default=1, ge=1)
    """Clips that a generator is asked for at once, which is what a killed task repeats; an
    out-of-memory halves it. Only a generator that batches gains by more than one."""
    clips_dir: Path | None = None
    """Where generated audio is kept; default: home/clips."""
    gpu_slots: int = Field(default=1, ge=1)
    """Graphics cards: as many tasks that caption and generate run side by side."""
    gpu_executor: str | None = None
    """Airflow's executor of these tasks, such as CeleryExecutor; default: the first configured."""

    slots: int = Field(default_factory=lambda: min(4, cores()), ge=1)
    """Stages that may run side by side; each gets its share of the cores. Default: the cores, at
    most 4."""

    ingest_cron: str = "*/15 * * * *"
    """When Airflow looks for new files."""
    evaluate_cron: str = "0 3 * * *"
    """When Airflow brings all results up to date even though no file is new."""
    airflow_database_url: str | None = None
    """Where Airflow keeps its metadata; default: a second database of the embedded Postgres."""
    airflow_admin_password: str | None = None
    """Of Airflow's user `admin`; default: made at first use and kept in home/airflow."""
    airflow_port: int = 8080
    """Of Airflow's page and REST API; the next free one where it is taken."""
    dashboard_port: int = 8501
    """Of the dashboard; the next free one where it is taken."""
    bind: str = "127.0.0.1"
    """The address that both listen on; another one than this machine's own opens them to others."""

    log: Literal["text", "json"] = "text"
    """How stages tell on stderr what happens: for people, or a JSON object a line for programs."""
    run: str | None = None
    """The run that a stage works for, as its log lines name it; Airflow's tasks set it."""

    @field_validator("references", "targets", mode="before")
    @classmethod
    def _split_paths(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return [Path(part) for part in value.split(os.pathsep) if part]

    @field_validator("encoders", "metrics", "generators", "guidance_sweep", mode="before")
    @classmethod
    def _split_names(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return [part.strip() for part in value.split(",") if part.strip()]

    @field_validator("home", "manifest", "models_dir", "stand_ins", "clips_dir", mode="after")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return None if value is None else value.expanduser().absolute()

    @field_validator("references", "targets", mode="after")
    @classmethod
    def _all_absolute(cls, value: list[Path]) -> list[Path]:
        return [path.expanduser().absolute() for path in value]

    @property
    def clips_folder(self) -> Path:
        """Where generated audio is kept."""
        return self.clips_dir or self.home / "clips"

    def as_environment(self) -> dict[str, str]:
        """The same settings as variables, for a child process."""
        variables = {}
        for name, value in self:
            if name == "modes":
                value = json.dumps([asdict(mode) for mode in value])
            elif isinstance(value, list):
                separator = os.pathsep if name in _FOLDERS else ","
                value = separator.join(str(part) for part in value)
            if value is not None:
                variables[f"MIRPIPE_{name.upper()}"] = str(value)
        return variables


def child_environment(*, without: str, **added: str) -> dict[str, str]:
    """This process's environment for a child, less variables that begin with `without`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(without)}
    return kept | added


def dag_run() -> str | None:
    """The id of the DAG run whose task this process is; None outside of Airflow's tasks."""
    return os.environ.get("AIRFLOW_CTX_DAG_RUN_ID")


@cache
def settings() -> Settings:
    """The settings of this process, read once."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = "; ".join(
            f"MIRPIPE_{str(problem['loc'][0]).upper()}: {problem['msg']}"
            for problem in error.errors(include_input=False)  # an input may hold a password
        )
        raise ConfigurationError(f"a setting is wrong: {wrong}") from None
