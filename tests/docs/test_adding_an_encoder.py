"""Test of the page on adding an encoder, whose steps are run in a copy of the checkout."""

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest

from mirpipe.db.embedded_server_roles import embedded_server
from mirpipe.settings import PROJECT
from tests.docs.walk import File, steps

PAGE = PROJECT / "docs" / "adding-an-encoder.md"
CHECKOUT = ("mirpipe", "migrations", "tests", "pyproject.toml")
SHELL = """
set -uo pipefail
while IFS= read -r -d '' command; do
    eval "$command" </dev/null
    printf '\\0%d\\0' $?
done
"""


@pytest.fixture
def checkout(short_folder: Path) -> Iterator[Path]:
    """Yield a copy of the files that the steps of the page use."""
    copy = short_folder / "walk"
    copy.mkdir()
    for name in CHECKOUT:
        source = PROJECT / name
        if source.is_dir():
            shutil.copytree(source, copy / name)
        else:
            shutil.copy(source, copy)
    (copy / "demo").symlink_to(PROJECT / "demo")
    yield copy
    embedded_server(copy / "var" / "walk").down()


def write(file: File, checkout: Path) -> None:
    path = checkout / file.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(file.content)
    if path.name == "pyproject.toml":
        install(path.parent)


def install(package: Path) -> None:
    """Write the metadata and the entry points that pip would install for the package."""
    project = tomllib.loads((package / "pyproject.toml").read_text())["project"]
    metadata = package / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    lines = []
    for group, offered in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {module}" for name, module in offered.items())]
    (metadata / "entry_points.txt").write_text("\n".join(lines))


class Shell:
    """A shell that runs commands one after the other."""

    def __init__(self, checkout: Path) -> None:
        programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        paths = os.pathsep.join([str(checkout), str(checkout / "my-encoders")])
        self._process = subprocess.Popen(
            ["bash", "-c", SHELL],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=checkout,
            env=os.environ | {"PATH": programs, "PYTHONPATH": paths, "LC_ALL": "C.UTF-8"},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def type(self, line: str) -> tuple[int, str]:
        """Run a command, and return its exit code and its standard output."""
        assert self._process.stdin
        self._process.stdin.write(line.encode() + b"\0")
        self._process.stdin.flush()
        output, code = self._until_nul(), self._until_nul()
        return int(code), output

    def _until_nul(self) -> str:
        assert self._process.stdout
        return b"".join(iter(lambda: self._process.stdout.read(1), b"\0")).decode()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_command_of_the_page_prints_what_it_says(checkout: Path) -> None:
    with Shell(checkout) as shell:
        for step in steps(PAGE.read_text()):
            if isinstance(step, File):
                write(step, checkout)
            elif not step.line.startswith("pip "):  # install() replaces pip
                code, output = shell.type(step.line)
                assert code == 0, f"{step.line}\n{output}"
                assert step.prints(output), f"{step.line}\n{output}"
