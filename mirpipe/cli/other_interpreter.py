"""Runs a command of ours in another interpreter, as if it were this one."""

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from mirpipe.errors import StageFailed
from mirpipe.settings import child_environment, settings


def counts(python: Path, arguments: Sequence[str]) -> dict[str, int]:
    """What `mirpipe ARGUMENTS --json` prints there; progress goes to this terminal."""
    command = [*_command(python), *arguments, "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, env=_environment(), check=False)
    if not done.stdout.strip():
        raise StageFailed(f"`mirpipe {' '.join(arguments)}` ended with exit code {done.returncode}")
    said: dict[str, int] = json.loads(done.stdout)
    return said


def become(python: Path, arguments: Sequence[str]) -> NoReturn:
    """Goes on as `mirpipe ARGUMENTS` there; this process's state is lost."""
    command = [*_command(python), *arguments]
    os.execve(python, command, _environment())


def _command(python: Path) -> list[str]:
    return [str(python), "-P", "-m", "mirpipe.cli.main"]


def _environment() -> dict[str, str]:
    return child_environment(without="AIRFLOW", **settings().as_environment())
