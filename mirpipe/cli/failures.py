"""`mirpipe failures`: the failure ledger."""

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from mirpipe.cli.command_arguments import AsJson
from mirpipe.cli.result_tables import escaped, wide_console
from mirpipe.db import queries


def failures(
    stage: Annotated[list[str] | None, typer.Option(help="Only this stage; repeatable.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the ledger: what cannot be used or failed, and why. Bad input waits until it changes."""
    ledger = queries.failures(stages=stage or [])
    if as_json:
        print(json.dumps([asdict(failure) for failure in ledger], default=str))
        return
    table = Table("stage", "plug-in", "reason", "what", "message", box=None)
    for failure in ledger:
        what = failure.title if failure.title and failure.stage != "ingest" else failure.subject
        shown = (failure.stage, failure.plugin, failure.reason, what, failure.message)
        table.add_row(*map(escaped, shown))
    wide_console().print(table if ledger else "the ledger is empty")
