"""`mirpipe doctor`: checks the installation and suggests repairs."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.text import Text

from mirpipe.cli.command_arguments import AsJson
from mirpipe.cli.terminal_text import wide_console, wrapped

if TYPE_CHECKING:
    from mirpipe.operations.doctor import Finding

_STYLES = {"ok": "green", "warning": "yellow", "problem": "red"}
_LEVEL_WIDTH = max(map(len, _STYLES)) + 2


def doctor(as_json: AsJson = False) -> None:
    """Check this installation and suggest repairs.

    Checks Python and its packages, disks, GPUs, models, database, files, ports and Airflow. The
    command starts no server and changes nothing. Each line starts with a level and ends with a
    remedy, if one is needed:

    \b
        ok       nothing to do
        warning  mirpipe works, but you should know about this
        problem  mirpipe does not work correctly

    Exit codes:

    \b
        0  there is no problem
        1  there is a problem
    """
    from mirpipe.operations.doctor import examine

    findings = []
    console = wide_console()
    for finding in examine():
        findings.append(finding)
        if as_json:
            continue
        _print(console, finding)
    if as_json:
        print(json.dumps([asdict(finding) for finding in findings]))
    raise typer.Exit(1 if any(finding.level == "problem" for finding in findings) else 0)


def _print(console: Console, finding: "Finding") -> None:
    """Print the level and the text, which is broken at spaces outside commands."""
    remedy = f" → {finding.remedy}" if finding.remedy else ""
    text = f"{finding.check}: {finding.message}{remedy}"
    level = Text(finding.level.ljust(_LEVEL_WIDTH), _STYLES[finding.level])
    for line in wrapped(text, console.width - _LEVEL_WIDTH):
        console.print(level + Text(line), soft_wrap=True)
        level = Text(" " * _LEVEL_WIDTH)
