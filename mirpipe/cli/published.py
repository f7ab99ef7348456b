"""`mirpipe published`: imports the published tables and shows them next to recomputed numbers."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from mirpipe.cli.command_arguments import AsJson
from mirpipe.cli.table_layout import print_table
from mirpipe.cli.terminal_text import wide_console
from mirpipe.db.queries.published_results import published_numbers
from mirpipe.errors import RejectedInput

HELP = """
Import and show the published results.

An earlier evaluation printed its results as tables. The tables are part of mirpipe, and serve as
the first baseline. After the import, the summary views also contain the published results, with
their source in the column `source`. Each imported row is a line of a printed table, not a track.

Examples:

\b
    mirpipe published import   load the tables into the database
    mirpipe published show     show printed numbers next to recomputed ones
    mirpipe published page     print the page docs/published.md
"""

app = typer.Typer(help=HELP, no_args_is_help=True, rich_markup_mode=None)


@app.command("import")
def load(
    folder: Annotated[
        Path | None,
        typer.Argument(
            help="Folder with other files that have the same names and columns. Default: the "
            "tables that are part of mirpipe."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Load the published tables into the database.

    Also computes their intervals and tests. A second import changes nothing.

    Exit codes:

    \b
        0  the database contains the tables
        3  a line is invalid; the message names it, and nothing is changed
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
        for name, rows in changed.items():
            if rows:
                print(f"{rows:3}  {name}")
    else:
        print("no changes: the database already contains these tables")


@app.command()
def show(as_json: AsJson = False) -> None:
    """Show printed numbers next to recomputed ones.

    Each printed mean, standard deviation and change is computed again from the printed lines.
    """
    numbers = published_numbers()
    if as_json:
        print(json.dumps([asdict(number) for number in numbers]))
        return
    if not numbers:
        Console(stderr=True).print(
            "The tables are not in the database yet. Run `mirpipe published import`."
        )
        return
    table = Table("encoder or mode", "metric", "number")
    for heading in ("printed", "recomputed"):
        table.add_column(heading, justify="right")
    table.add_column("remark")
    for number in numbers:
        subject = number.subject or "–"
        if number.than_subject:
            subject = f"{number.than_subject} → {number.subject}"
        recomputed = "–" if number.recomputed is None else f"{number.recomputed:.4f}"
        remark = "" if number.agrees else number.discrepancy or "differs"
        table.add_row(subject, number.metric, number.number, number.printed, recomputed, remark)
    print_table(wide_console(), table)


@app.command()
def page() -> None:
    """Print the page docs/published.md as Markdown.

    The page compares each published claim with the numbers.
    """
    from mirpipe.published.docs_page import page as page_text

    print(page_text(), end="")
