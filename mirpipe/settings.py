"""The mirpipe settings. Only this module reads the `MIRPIPE_<NAME>` variables."""

import json
import os
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Literal

import platformdirs
from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from mirpipe.available_cores import available_cores
from mirpipe.errors import ConfigurationError
from mirpipe.files.addresses import Address
from mirpipe.generation.modes import MODES, SWEEP, Mode
from mirpipe.setting_types import (
    AbsolutePath,
    ComparableMetric,
    FolderAddress,
    FolderList,
    IPAddress,
    NameList,
    NumberList,
    parse_margins,
    require_known_pair,
)

_PACKAGE = Path(__file__).resolve().parent
IS_CHECKOUT = not (_PACKAGE / "project").exists()
"""Whether mirpipe runs from a checkout, and not from an installed package."""
PROJECT = _PACKAGE.parent if IS_CHECKOUT else _PACKAGE / "project"
"""The folder that contains dags/, dashboard/, migrations/, docs/ and requirements/."""

_FOLDER_LISTS = ("references", "targets")


def _default_home() -> Path:
    # Postgres cannot run as root, and the user that runs it cannot enter root's home folder.
    if os.geteuid() == 0:
        return Path("/var/lib/mirpipe")
    return platformdirs.user_data_path("mirpipe")


def models_environment() -> Path:
    """Return the folder in which `mirpipe models install` installs the model libraries."""
    return PROJECT / ".venv-models" if IS_CHECKOUT else _default_home() / "models-environment"


def _models_python() -> Path | None:
    installed = models_environment() / "bin" / "python"
    return installed if installed.exists() else None


class Settings(BaseSettings):
    """All settings that a user can choose.

    Lists of folders are separated by colons, as in PATH. Other lists are separated by commas.
    """

    model_config = SettingsConfigDict(
        env_prefix="MIRPIPE_", extra="ignore", use_attribute_docstrings=True
    )

    home: AbsolutePath = Field(default_factory=_default_home)
    """Folder for the embedded Postgres, Airflow's files and the logs. Default: the user's data
    folder, such as ~/.local/share/mirpipe, or /var/lib/mirpipe for root."""

    database_url: str | None = None
    """URL of a Postgres server with pgvector, for the pipeline's role. Default: the embedded
    Postgres."""
    owner_url: str | None = None
    """URL of the same server, for the role that runs the migrations. Default: database_url."""
    reader_url: str | None = None
    """URL of the same server, for a login that can only read. Default: database_url, and then the
    SQL page is off."""
    listener_url: str | None = None
    """URL of the same server, for a login that can only answer listening tests. `mirpipe listening
    serve` needs it on your own server. Default: none."""
    superuser_url: str | None = None
    """URL of the same server, for a superuser. Only `mirpipe db provision` uses this URL, to create
    logins, databases and grants. Default: none."""

    references: FolderList = []
    """Folders of the reference library, which mirpipe searches for matches. A folder can also be in
    an S3 bucket: `s3://BUCKET/FOLDER`. Default: none."""
    targets: FolderList = []
    """Folders of the target tracks, for which mirpipe finds matches. A folder can also be in an S3
    bucket: `s3://BUCKET/FOLDER`. Default: none."""
    manifest: AbsolutePath | None = None
    """CSV file with titles and labels. The column `path` is required. `title` and `collection` are
    optional. Every other column is a label. Default: none, so that titles and labels come from the
    file tags."""

    s3_connection: str | None = None
    """Name of the Airflow connection of type `aws` whose login Airflow's tasks use for S3. Default:
    none, so that the login comes from the usual AWS_ variables or the role of the machine."""
    object_cache_dir: AbsolutePath | None = None
    """Folder on this machine for copies of the objects that are read from S3. Default:
    home/object-cache."""
    object_cache_gb: float = Field(default=20.0, gt=0)
    """Largest total size of these copies, in GB (10^9 bytes). The copies that were used longest ago
    are deleted first. Copies that are being read may exceed it."""

    max_missing_percent: float = Field(default=1.0, ge=0, le=100)
    """Share of a file's audio that may be damaged or missing, in percent. Ingest rejects a file
    above this share. Below it, the rest of the file is used, and `mirpipe quality` shows where
    audio is missing."""

    encoders: NameList = ["musicnn", "signal"]
    """Names of the encoders whose vectors the pipeline keeps up to date, in display order."""
    metrics: NameList = []
    """Names of the models that score every track, such as `audiobox_aesthetics`. Default: none,
    because every such model needs weights."""
    batch_tracks: int = Field(default=64, ge=1)
    """Number of tracks per batch. Each batch is one transaction, so a stopped task loses at most
    one batch."""
    models_python: Path | None = Field(default_factory=_models_python)
    """Python interpreter that has the model libraries. Default: the one that `mirpipe models
    install` has created, if any."""
    models_dir: AbsolutePath | None = None
    """Folder of the model weights, stored as REPOSITORY/FILE. Default: home/models, then the
    Hugging Face cache."""
    stand_ins: AbsolutePath | None = None
    """Folder of random weights for tests, stored as REPOSITORY/FILE. These weights replace the
    published weights, and all results computed with them are marked as random. Default: none."""
    compute_dtype: Literal["float32", "bfloat16", "int8"] = "float32"
    """Number format in which models compute, if they support it: `float32`, `bfloat16` or `int8`.
    A different format gives a different revision."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Device on which models run: `cpu`, `cuda`, or `auto` for CUDA if available. The device
    is stored with each batch and does not affect the revision."""

    captioner: str = "features"
    """Name of the captioner whose captions are used as prompts for generated clips. If empty, there
    are no captions and no clips."""
    generators: NameList = ["resynth"]
    """Names of the generators that create clips for every target. If empty, there are no clips."""
    modes: list[Mode] = list(MODES)
    """Modes in which clips are generated, as JSON:
    `[{"name": "strong", "is_conditioned": true, "guidance": 5}, …]`."""
    guidance_sweep: NumberList = []
    """Additional guidance values at which conditioned clips are generated, such as `2,8`. Default:
    none."""
    seeds: int = Field(default=1, ge=1)
    """Number of clips per target and mode. Their seeds are 0, 1, 2 and so on."""
    generate_seconds: float = Field(default=30.0, gt=0)
    """Maximum duration of a clip, in seconds, and length of the excerpt of each target that is
    captioned and compared with the clips. The clip of a shorter target is as long as the target."""
    generate_batch: int = Field(default=1, ge=1)
    """Number of clips that `musicgen_melody` generates at the same time, which is faster on a GPU.
    A batch that does not fit into memory is halved. A clip does not depend on the other clips of
    its batch, but on this number: rounding differs. Other generators make one clip at a time. After
    a task is stopped, one batch must be repeated."""
    clips_dir: FolderAddress | None = None
    """Folder for the generated audio, also as `s3://BUCKET/FOLDER`. Default: home/clips."""
    gpu_workers: bool = False
    """Whether Airflow has workers that read the queue `gpu`. Tasks with plug-ins that can use a GPU
    then run there, and all other tasks on the other workers. Set it to the same value on all
    machines."""
    gpu_slots: int = Field(default=1, ge=1)
    """Number of GPUs of all workers. The same number of tasks in Airflow's pool `gpu` can run in
    parallel."""
    gpu_executor: str | None = None
    """Airflow executor for the tasks in the queue `gpu`, such as CeleryExecutor. Default: the
    first executor in Airflow's configuration."""

    encoder_contrasts: NameList = []
    """Pairs of encoders whose differences can be established, such as `signal:musicnn`. Declare
    them before you look at the results. Default: every encoder with the first one."""
    mode_contrasts: NameList = []
    """Pairs of modes whose differences can be established, such as `medium:simple`, or
    `strong@5:strong@3` with guidance values. Default: neighbouring modes, in the order without
    conditioning audio, then with it, each by guidance."""
    primary_retrieval_metric: ComparableMetric = "aligned_melody"
    """Metric that is tested first when two encoders are compared. Differences in other metrics can
    be established only if they also differ in this one, or if it cannot be tested."""
    primary_generation_metric: ComparableMetric = "aligned_melody"
    """Metric that is tested first when two modes are compared. Differences in other metrics can be
    established only if they also differ in this one, or if it cannot be tested."""

    promotion_margins: NameList = []
    """Metrics by which a new revision of a plug-in is judged, each with the largest acceptable
    decrease of its mean over the best matches or clips, in the unit of the metric, such as
    `aligned_melody=0.02,melody_accuracy=0.01`. `mirpipe compare` uses the same margins. Default:
    none, so that `mirpipe compare` uses the primary metric with margin 0."""
    promotion: Literal["complete", "not_worse", "manual"] = "complete"
    """When a new revision of an encoder, captioner or generator replaces the active one: `complete`
    as soon as its vectors and matches, or its clips, are complete; `not_worse` if, in addition, no
    metric in promotion_margins has become worse by more than its margin, which a non-inferiority
    test decides; or `manual` only by `mirpipe promote`. Tracks that are added while a revision
    waits have no matches or clips by the active one. The first revision of a plug-in is always
    active at once."""

    same_recording_counts: bool = False
    """Whether a match that is the same recording as its target counts in P@k, MRR, mAP and the
    averages over matches. By default, it is shown and marked, but left out of these numbers."""

    gate: AbsolutePath | None = None
    """YAML file with rules that the main job checks after each report, as `mirpipe gate` does. A
    message is sent to `notify` only if the verdict has changed. Default: none."""

    ranked_targets: int | None = Field(default=None, ge=1)
    """Largest number of targets on which a report measures rankings: P@k, MRR, mAP, hubs, CSLS,
    fusion and the agreement of encoders. Each ranking sorts all references, which takes hours for
    many targets in a library of a million. If there are more targets, those with the lowest content
    hashes are used, which is a random sample. Default: all targets."""

    rankings_hours: float = Field(default=0.0, ge=0)
    """Shortest time, in hours, between two measurements of rankings while the library changes.
    Until then, reports take over the last rankings and say so. `mirpipe report --rankings` measures
    them at once. Default: 0, so each report measures the rankings of a changed library."""

    slots: int = Field(default_factory=lambda: min(4, available_cores()), ge=1)
    """Number of stages that run in parallel. Each stage uses an equal share of the cores. Default:
    the number of available cores, at most 4."""

    plan_hours: float = Field(default=6.0, gt=0)
    """Expected time, in hours, after which a run reports what it has, while many tracks are still
    pending. The next run then continues. A run with fewer pending tracks processes all of them."""
    max_removed_share: float = Field(default=0.2, ge=0, le=1)
    """Share of a folder's files that may vanish at once, if they are at least 20 files. If more
    have vanished, the folder's disk or share may be offline: no file is marked as removed, and
    ingest fails until the files are back or the removal is accepted."""
    ingest_cron: str = "*/15 * * * *"
    """Schedule on which Airflow looks for new files, as a cron expression."""
    evaluate_cron: str = "0 3 * * *"
    """Schedule on which Airflow updates all results, even without new files, as a cron
    expression."""
    generate_cron: str = "0 5 * * *"
    """Schedule on which Airflow generates missing clips, even without new results, as a cron
    expression."""
    maintenance_cron: str = "0 2 * * *"
    """Schedule on which Airflow runs `mirpipe prune --yes` and deletes its own old history, as a
    cron expression."""
    keep_unused_days: int = Field(default=90, ge=1)
    """Number of days for which `mirpipe prune` keeps what no view shows any more: results from
    replaced revisions, results for removed tracks, and details of earlier runs."""
    keep_history_days: int | None = Field(default=None, ge=1)
    """Number of days for which `mirpipe prune` keeps the group summaries, rankings, hubness, set
    distances, z and gate verdicts of past runs. The matches and summaries of all runs are always
    kept. Default: no limit."""
    keep_clips_days: int | None = Field(default=None, ge=1)
    """Number of days for which `mirpipe prune` keeps a clip after its generator or captioner was
    replaced. Default: no limit."""
    keep_airflow_days: int = Field(default=30, ge=1)
    """Number of days for which Airflow's history and task logs are kept."""
    airflow_timeout: int = Field(default=300, ge=10, le=1200)
    """Time, in seconds, after which Airflow gives up a task, a scheduler or the import of a DAG
    file that gives no sign of life. On a very busy machine, increase it. A lower value notices a
    killed worker sooner."""
    notify: str | None = None
    """Addresses that receive a message when a DAG run has failed, or when the verdict of the gate
    has changed, as Apprise URLs separated by spaces, such as `slack://…`, `mailto://…` or
    `jsons://host/path` for a webhook: see https://github.com/caronc/apprise. Default: none."""
    airflow_database_url: str | None = None
    """URL of Airflow's metadata database. Default: a second database in the embedded Postgres."""
    airflow_admin_password: str | None = None
    """Password of Airflow's user `admin`. Default: a random password, which is created at the first
    start and stored in home/airflow."""
    airflow_port: int = 8080
    """Port of Airflow's web page and REST API. If this port is in use, the next free port is
    used."""
    dashboard_port: int = 8501
    """Port of the dashboard. If this port is in use, the next free port is used."""
    api_port: int = 8600
    """Port of `mirpipe api`. If this port is in use, the next free port is used."""
    listening_port: int = 8700
    """Port of `mirpipe listening serve`. If this port is in use, the command stops, because no
    other port is in the links."""
    bind: IPAddress = "127.0.0.1"
    """IP address of this machine on which Airflow, the dashboard, `mirpipe api` and `mirpipe
    listening serve` listen. With the default, they can be opened only on this machine. Most other
    addresses make them reachable from other machines. The dashboard then needs a login, and the API
    a token: see dashboard_user_header and api_token."""
    dashboard_user_header: str | None = None
    """Name of the HTTP header in which a proxy passes the name of the logged-in user, such as
    `X-Forwarded-User`. The dashboard refuses requests without this header. Only the proxy may be
    able to reach the dashboard, and it must replace this header in all requests. Default: none."""
    dashboard_without_login: bool = False
    """Whether everyone who can reach the dashboard may use it without a login, even if bind is not
    an address of this machine alone."""
    api_token: str | None = Field(default=None, min_length=16)
    """Secret of at least 16 characters that all requests to `mirpipe api` must contain, in the
    header `Authorization: Bearer …`, except for `/health` and `/openapi.json`. Default: none, and
    then the API is available only on this machine."""
    api_without_login: bool = False
    """Whether everyone who can reach the API may use it without a token, even if bind is not an
    address of this machine alone."""

    log: Literal["text", "json"] = "text"
    """Format of the log lines that stages write to stderr: `text` for people, or `json` for
    programs, with one JSON object per line."""
    run: str | None = None
    """Id of the DAG run, which is added to every log line. Airflow's tasks set this id. Default:
    none."""

    @field_validator("*", mode="before")
    @classmethod
    def _default_if_empty(cls, value: object, info: ValidationInfo) -> object:
        """Return the default for an empty value, except where an empty text or list is a value."""
        if value != "" or info.field_name is None:
            return value
        default = cls.model_fields[info.field_name].get_default(
            call_default_factory=True, validated_data=info.data
        )
        return default if default is None or isinstance(default, Path) else value

    @field_validator("encoder_contrasts", mode="after")
    @classmethod
    def _require_two_encoders(cls, value: list[str], info: ValidationInfo) -> list[str]:
        known = info.data.get("encoders", [])
        for pair in value:
            require_known_pair(pair, known)
        return value

    @field_validator("promotion_margins", mode="after")
    @classmethod
    def _require_margins(cls, value: list[str]) -> list[str]:
        parse_margins(value)
        return value

    @field_validator("promotion", mode="after")
    @classmethod
    def _require_margins_if_judged(cls, value: str, info: ValidationInfo) -> str:
        if value == "not_worse" and info.data.get("promotion_margins") == []:
            raise ValueError(
                "`not_worse` needs margins in MIRPIPE_PROMOTION_MARGINS, such as "
                "aligned_melody=0.02"
            )
        return value

    @field_validator("mode_contrasts", mode="after")
    @classmethod
    def _require_two_modes(cls, value: list[str], info: ValidationInfo) -> list[str]:
        modes = [(mode.name, mode.guidance) for mode in info.data.get("modes", [])]
        modes += [(SWEEP, guidance) for guidance in info.data.get("guidance_sweep", [])]
        known = {name for name, _ in modes}
        known |= {f"{name}@{guidance:g}" for name, guidance in modes if guidance is not None}
        for pair in value:
            require_known_pair(pair, sorted(known))
        return value

    def primary_metric(self, kind: str) -> str:
        """Return the primary metric of matches if the kind is `encoder`, or else that of clips."""
        if kind == "encoder":
            return self.primary_retrieval_metric
        return self.primary_generation_metric

    def margins(self, kind: str) -> dict[str, float]:
        """Return `promotion_margins` by metric, or else the primary metric with margin 0."""
        return parse_margins(self.promotion_margins) or {self.primary_metric(kind): 0.0}

    @property
    def clips_folder(self) -> Address:
        """Folder of the generated audio: `clips_dir`, or `clips` in the home folder."""
        return self.clips_dir or self.home / "clips"

    @property
    def object_cache(self) -> Path:
        """Folder for copies of objects: `object_cache_dir`, or one in the home folder."""
        return self.object_cache_dir or self.home / "object-cache"

    @property
    def weights_folder(self) -> Path:
        """Folder of the model weights: `models_dir`, or `models` in the home folder."""
        return self.models_dir or self.home / "models"

    def as_environment(self) -> dict[str, str]:
        """Return these settings as environment variables, for a child process."""
        variables = {}
        for name, value in self:
            if name == "modes":
                value = json.dumps([asdict(mode) for mode in value])
            elif isinstance(value, list):
                separator = os.pathsep if name in _FOLDER_LISTS else ","
                value = separator.join(str(part) for part in value)
            if value is not None:
                variables[f"MIRPIPE_{name.upper()}"] = str(value)
        return variables


def child_environment(*, without: str, **added: str) -> dict[str, str]:
    """Return the environment of a child process: a copy of this process's environment.

    Variables whose names start with `without` are left out. The variables in `added` are added.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(without)}
    return kept | added


def dag_run_id() -> str | None:
    """Return the id of the DAG run to which this process belongs, or None outside Airflow."""
    return os.environ.get("AIRFLOW_CTX_DAG_RUN_ID")


@cache
def settings() -> Settings:
    """Return the settings of this process. The environment is read only once.

    Raises ConfigurationError if a variable has an invalid value.
    """
    try:
        return Settings()
    except ValidationError as error:
        problems = "; ".join(
            f"MIRPIPE_{str(problem['loc'][0]).upper()}: "
            f"{problem['msg'].removeprefix('Value error, ')}"
            for problem in error.errors(include_input=False)  # The input may contain a password.
        )
        raise ConfigurationError(
            f"Invalid setting: {problems}. Correct or unset the environment variable."
        ) from None
