"""`mirpipe status`: shows the library, pending work, failures and the last run."""

import json
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from mirpipe.cli.command_arguments import AsJson
from mirpipe.cli.terminal_text import escape_markup, wide_console
from mirpipe.db import queries


def status(as_json: AsJson = False) -> None:
    """Show the library, pending work and failures.

    Also shows plug-ins that cannot run on this machine, and the last run.
    """
    library, pending = queries.library_counts(), queries.pending_work()
    failures, unavailable = queries.failure_counts(), queries.unavailable_plugins()
    latest_runs = queries.last_runs(limit=1)
    if as_json:
        result = {
            "library": [asdict(count) for count in library],
            "pending": [asdict(work) for work in pending],
            "failures": [asdict(count) for count in failures],
            "unavailable": [asdict(plugin) for plugin in unavailable],
            "last_run": asdict(latest_runs[0]) if latest_runs else None,
        }
        print(json.dumps(result, default=str))
        return
    console = wide_console()
    _print_table(
        console,
        "library",
        [(c.collection, c.state, str(c.tracks), f"{c.seconds / 60:.1f} min") for c in library],
        empty="no tracks yet; run `mirpipe ingest FOLDER --collection reference`",
    )
    _print_table(
        console,
        "pending",
        [(w.stage, w.plugin, w.revision, str(w.items)) for w in pending],
        empty="none; everything is up to date",
    )
    _print_table(
        console,
        "failures",
        [
            (c.stage, c.reason, str(c.items), "will be tried again" if c.retry else "bad input")
            for c in failures
        ],
        empty="none",
    )
    if unavailable:
        _print_table(console, "unavailable", [(p.name, p.message) for p in unavailable], empty="")
    if latest_runs:
        run = latest_runs[0]
        console.print(
            f"last run: {run.run_id}, {run.finished_at:%Y-%m-%d %H:%M} UTC, "
            f"last checked {run.confirmed_at:%Y-%m-%d %H:%M} UTC",
            highlight=False,
        )
    else:
        console.print("last run: none yet; run `mirpipe run`")


def _print_table(console: Console, title: str, rows: list[tuple[str, ...]], *, empty: str) -> None:
    """Print the rows below the title, or the text `empty` if there are no rows."""
    console.print(f"{title}:", highlight=False)
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2))
    for row in rows:
        table.add_row("", *map(escape_markup, row))
    console.print(table if rows else f"    {empty}", highlight=False)
