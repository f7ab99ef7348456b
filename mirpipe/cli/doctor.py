"""`mirpipe doctor`: what a support engineer would look at first."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from mirpipe.cli.result_tables import wide_console

_STYLES = {"ok": "green", "warning": "yellow", "problem": "red"}


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Check this installation, and say how to mend what is wrong with it.

    Looks at Python and its packages, disks, graphics card, models, database, files, ports and
    Airflow; starts no server and mends nothing. A line a finding: ok, warning (it works, and you
    should know) or problem, then the remedy. Exit status 1: there is a problem.
    """
    from mirpipe.operations.doctor import examine

    found = []
    console = wide_console()
    for finding in examine():
        found.append(finding)
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
        print(json.dumps([asdict(finding) for finding in found]))
    raise typer.Exit(1 if any(finding.level == "problem" for finding in found) else 0)
