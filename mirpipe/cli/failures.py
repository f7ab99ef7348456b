"""`mirpipe failures`: lists the failure ledger."""

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from mirpipe.cli.command_arguments import AsJson
from mirpipe.cli.table_layout import print_table
from mirpipe.cli.terminal_text import escape_markup, wide_console
from mirpipe.db import queries


def failures(
    stage: Annotated[
        list[str] | None,
        typer.Option(help="List only the failures of this stage. Repeat for several stages."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List what failed or was rejected, and why.

    A file that cannot be used is skipped until it changes. All other failed work is tried again in
    every run.
    """
    ledger = queries.failures(stages=stage or [])
    if as_json:
        print(json.dumps([asdict(failure) for failure in ledger], default=str))
        return
    if not ledger:
        print("no failures")
        return
    table = Table("stage", "plug-in", "reason", "subject", "message", box=None)
    for failure in ledger:
        subject = failure.subject
        if failure.title and failure.stage != "ingest":  # An ingest subject is a path.
            subject = failure.title
        cells = (failure.stage, failure.plugin, failure.reason, subject, failure.message)
        table.add_row(*map(escape_markup, cells))
    print_table(wide_console(), table)
