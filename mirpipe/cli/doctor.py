"""`mirpipe doctor`: checks the installation and suggests repairs."""

import json
from dataclasses import asdict

import typer

from mirpipe.cli.command_arguments import AsJson
from mirpipe.cli.terminal_text import wide_console

_STYLES = {"ok": "green", "warning": "yellow", "problem": "red"}


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
        remedy = f" → {finding.remedy}" if finding.remedy else ""
        console.print(f"{finding.level:8}", style=_STYLES[finding.level], end="")
        console.print(
            f" {finding.check}: {finding.message}{remedy}",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
    if as_json:
        print(json.dumps([asdict(finding) for finding in findings]))
    raise typer.Exit(1 if any(finding.level == "problem" for finding in findings) else 0)
