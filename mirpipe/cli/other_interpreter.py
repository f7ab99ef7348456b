"""Runs a mirpipe command in another Python interpreter, with the same settings."""

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from mirpipe.errors import StageFailed
from mirpipe.settings import child_environment, settings


def run_for_counts(python: Path, arguments: Sequence[str]) -> dict[str, int]:
    """Run `mirpipe ARGUMENTS --json` in the interpreter `python`, and return its counts.

    The command writes its progress to this terminal. Raises StageFailed if it prints no counts.
    """
    command = [*_command(python), *arguments, "--json"]
    process = subprocess.run(command, stdout=subprocess.PIPE, env=_environment(), check=False)
    if not process.stdout.strip():
        raise StageFailed(
            f"`mirpipe {' '.join(arguments)}` ended with exit code {process.returncode} in the "
            f"interpreter {python}. Its messages are above; correct their cause and run the "
            "command again."
        )
    counts: dict[str, int] = json.loads(process.stdout)
    return counts


def replace_process(python: Path, arguments: Sequence[str]) -> NoReturn:
    """Replace this process with `mirpipe ARGUMENTS` in the interpreter `python`."""
    command = [*_command(python), *arguments]
    os.execve(python, command, _environment())


def _command(python: Path) -> list[str]:
    return [str(python), "-P", "-m", "mirpipe.cli.main"]


def _environment() -> dict[str, str]:
    """Return the environment of the other process: mirpipe's settings but not Airflow's."""
    return child_environment(without="AIRFLOW", **settings().as_environment())
