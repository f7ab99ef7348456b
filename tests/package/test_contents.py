"""The wheel contains what mirpipe reads from a checkout, and requires the tested versions."""

import subprocess
from email.parser import Parser
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement

from mirpipe.settings import PROJECT

pytestmark = pytest.mark.package


def tracked(*folders: str) -> set[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", *folders], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    return set(listed.stdout.strip("\0").split("\0"))


def test_every_tracked_file_that_mirpipe_reads_is_in_the_wheel(wheels: dict[str, Path]) -> None:
    with ZipFile(wheels["mirpipe"]) as archive:
        names = set(archive.namelist())
    read_from_project = {
        *tracked("dags", "dashboard", "migrations", "docs/glossary.md", "docs/sql-cookbook.md"),
        *("docker/install", "requirements/core.txt", "requirements/models.txt"),
        "requirements/models_overrides.txt",
    }
    assert {f"mirpipe/project/{name}" for name in read_from_project} <= names
    assert tracked("mirpipe") <= names
    assert not [name for name in names if "secrets" in name or name.startswith("tests")]


def test_the_wheel_of_the_demo_contains_the_library(wheels: dict[str, Path]) -> None:
    with ZipFile(wheels["mirpipe_demo"]) as archive:
        names = set(archive.namelist())
    library = {name.removeprefix("demo/") for name in tracked("demo")} - {"pyproject.toml"}
    assert {f"mirpipe_demo/{name}" for name in library} <= names


def test_the_wheel_requires_exactly_the_locked_versions(wheels: dict[str, Path]) -> None:
    with ZipFile(wheels["mirpipe"]) as archive:
        (metadata,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        headers = Parser().parsestr(archive.read(metadata).decode())
    required = [Requirement(text) for text in headers.get_all("Requires-Dist", [])]
    pinned = {str(item) for item in required if "extra ==" not in str(item.marker)}
    lock = (PROJECT / "requirements" / "core.txt").read_text().splitlines()
    assert pinned == {str(Requirement(line.rstrip("\\ "))) for line in lock if line[:1].isalnum()}
    assert not [item for item in pinned if item.startswith(("torch", "tensorflow"))]
