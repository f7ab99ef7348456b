"""`mirpipe status`: the library, pending work, failures and the last run."""

import json
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from mirpipe.cli.command_arguments import AsJson
from mirpipe.cli.result_tables import escaped, wide_console
from mirpipe.db import queries


def status(as_json: AsJson = False) -> None:
    """Show the library, the work that is pending, the ledger's size and the last run."""
    library, pending, failed = queries.library(), queries.pending(), queries.failure_counts()
    latest, wanting = queries.runs(limit=1), queries.unavailable()
    if as_json:
        found = {
            "library": [asdict(count) for count in library],
            "pending": [asdict(work) for work in pending],
            "failures": [asdict(count) for count in failed],
            "unavailable": [asdict(plugin) for plugin in wanting],
            "last_run": asdict(latest[0]) if latest else None,
        }
        print(json.dumps(found, default=str))
        return
    console = wide_console()
    _print_table(
        console,
        "library",
        [(c.collection, c.state, str(c.tracks), f"{c.seconds / 60:.1f} min") for c in library],
        empty="nothing ingested yet: mirpipe ingest FOLDER --collection reference",
    )
    _print_table(
        console,
        "pending",
        [(w.stage, w.plugin, w.revision, str(w.items)) for w in pending],
        empty="nothing: all is up to date",
    )
    _print_table(
        console,
        "failures",
        [
            (c.stage, c.reason, str(c.items), "will be tried again" if c.retry else "bad input")
            for c in failed
        ],
        empty="none",
    )
    if wanting:
        _print_table(console, "unavailable", [(p.name, p.message) for p in wanting], empty="")
    if latest:
        run = latest[0]
        console.print(
            f"last run: {run.run_id}, {run.finished_at:%Y-%m-%d %H:%M} UTC, "
            f"confirmed {run.confirmed_at:%Y-%m-%d %H:%M} UTC",
            highlight=False,
        )
    else:
        console.print("last run: none yet; `mirpipe run` makes it")


def _print_table(console: Console, title: str, rows: list[tuple[str, ...]], *, empty: str) -> None:
    console.print(f"{title}:", highlight=False)
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2))
    for row in rows:
        table.add_row("", *map(escaped, row))
    console.print(table if rows else f"    {empty}", highlight=False)
