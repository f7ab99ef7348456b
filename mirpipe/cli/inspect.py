"""`mirpipe status`, `failures` and `settings`: what is there, what is pending, what failed."""

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from mirpipe.cli.tables import wide_console
from mirpipe.db import reports
from mirpipe.settings import Settings
from mirpipe.settings import settings as read_settings

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def status(as_json: AsJson = False) -> None:
    """Show the library, the work that is pending, the ledger's size and the last run."""
    library, pending, failed = reports.library(), reports.pending(), reports.failure_counts()
    latest, wanting = reports.runs(limit=1), reports.unavailable()
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


def failures(
    stage: Annotated[list[str] | None, typer.Option(help="Only this stage; repeatable.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the ledger: what cannot be used or failed, and why. Bad input waits until it changes."""
    ledger = reports.failures(stages=stage or [])
    if as_json:
        print(json.dumps([asdict(failure) for failure in ledger], default=str))
        return
    table = Table("stage", "plug-in", "reason", "what", "message", box=None)
    for failure in ledger:
        what = failure.title if failure.title and failure.stage != "ingest" else failure.subject
        shown = (failure.stage, failure.plugin, failure.reason, what, failure.message)
        table.add_row(*map(_plain, shown))
    wide_console().print(table if ledger else "the ledger is empty")


def settings(as_json: AsJson = False) -> None:
    """List every setting, its variable and its present value; passwords are hidden."""
    shown = {
        f"MIRPIPE_{name.upper()}": _shown(name, getattr(read_settings(), name))
        for name in Settings.model_fields
    }
    if as_json:
        print(json.dumps(shown))
        return
    table = Table("variable", "value", box=None)
    for variable, value in shown.items():
        table.add_row(variable, _plain(value))
    wide_console().print(table)


def _shown(name: str, value: object) -> str:
    if value is None:
        return ""
    if name.endswith(("_url", "_password")):
        return "(set)"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)


def _plain(value: str) -> str:
    return value.replace("[", r"\[")


def _print_table(console: Console, title: str, rows: list[tuple[str, ...]], *, empty: str) -> None:
    console.print(f"{title}:", highlight=False)
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2))
    for row in rows:
        table.add_row("", *map(_plain, row))
    console.print(table if rows else f"    {empty}", highlight=False)
