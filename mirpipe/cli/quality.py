"""`mirpipe quality`: lists findings about the audio of the tracks."""

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from mirpipe.cli.command_arguments import AsJson, OnlyCollections
from mirpipe.cli.missing_audio import print_missing_audio
from mirpipe.cli.table_layout import print_table
from mirpipe.cli.terminal_text import escape_markup, wide_console
from mirpipe.db import queries


def quality(
    kind: Annotated[
        list[str] | None,
        typer.Option(help="List only findings of this kind. Repeat for several kinds."),
    ] = None,
    collection: OnlyCollections = None,
    as_json: AsJson = False,
) -> None:
    """List tracks whose audio is unusual.

    Their audio is, for example, damaged, silent or clipped. These tracks are used. A warning means
    that their results may be wrong. `mirpipe failures` lists files that cannot be used.
    """
    findings = queries.findings(kinds=kind or [], collections=collection or [])
    if as_json:
        print(json.dumps([asdict(finding) for finding in findings]))
        return
    if not findings:
        print("no findings")
        print_missing_audio("reference", "target")
        return
    table = Table("severity", "kind", "collection", "title", "at", "finding", box=None)
    for finding in findings:
        position = "" if finding.seconds is None else f"{finding.seconds:.1f} s"
        cells = (finding.severity, finding.kind, finding.collection, finding.title, position)
        table.add_row(*map(escape_markup, (*cells, finding.detail)))
    print_table(wide_console(), table)
