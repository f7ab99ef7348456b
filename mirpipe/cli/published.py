"""`mirpipe published`: the published tables beside what their lines give."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from mirpipe.cli.command_arguments import AsJson
from mirpipe.cli.result_tables import wide_console
from mirpipe.db.queries import published_results as reports
from mirpipe.errors import RejectedInput

HELP = """
The tables of an earlier, printed evaluation: the first baseline.

They come with mirpipe and are loaded beside our own results, told apart by
the column `source` of the summary views. A row is a printed line, never a
track.

\b
  mirpipe published import     load them; again: nothing is done
  mirpipe published show       printed numbers beside what the lines give
  mirpipe published page       the page docs/published.md, claims included
"""

app = typer.Typer(help=HELP, no_args_is_help=True, rich_markup_mode=None)


@app.command("import")
def load(
    folder: Annotated[
        Path | None,
        typer.Argument(help="Other files of the same names and columns. Default: the shipped."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Load the tables, work out their intervals and tests; nothing where all is there.

    A wrong line is named with its number and reason, nothing is changed, and the exit code is 3.
    """
    from mirpipe.published.load_tables import load as load_tables
    from mirpipe.published.printed_lines import FOLDER

    try:
        changed = load_tables(folder or FOLDER)
    except RejectedInput as problem:
        typer.echo(f"mirpipe: {problem}", err=True)
        raise typer.Exit(3) from None
    if as_json:
        print(json.dumps(changed))
    elif any(changed.values()):
        print(", ".join(f"{name} {rows}" for name, rows in changed.items() if rows))
    else:
        print("all is as in the files")


@app.command()
def show(as_json: AsJson = False) -> None:
    """Print every published mean, sd and change beside what the printed lines give."""
    numbers = reports.published_numbers()
    if as_json:
        print(json.dumps([asdict(one) for one in numbers]))
        return
    if not numbers:
        Console(stderr=True).print("nothing is loaded: run `mirpipe published import`")
        return
    table = Table("of", "metric", "number")
    for heading in ("printed", "recomputed"):
        table.add_column(heading, justify="right")
    table.add_column("")
    for one in numbers:
        way = f"{one.than_subject} → {one.subject}" if one.than_subject else one.subject or "–"
        given = "–" if one.recomputed is None else f"{one.recomputed:.4f}"
        remark = "" if one.agrees else one.discrepancy or "differs"
        table.add_row(way, one.metric, one.number, one.printed, given, remark)
    wide_console().print(table)


@app.command()
def page() -> None:
    """Print the page that puts each claim beside what the numbers say, as Markdown."""
    from mirpipe.published.docs_page import page as make

    print(make(), end="")
