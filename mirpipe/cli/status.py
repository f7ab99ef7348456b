"""`mirpipe status`: shows the library, pending work, failures and the last run."""

import json
from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from mirpipe.cli.command_arguments import AsJson
from mirpipe.cli.table_layout import print_table
from mirpipe.cli.terminal_text import escape_markup, wide_console
from mirpipe.db import queries
from mirpipe.db.embedded_server_roles import embedded_server
from mirpipe.db.engine import has_schema
from mirpipe.orchestration.home_lock import UP_IS_RUNNING, is_up_running
from mirpipe.settings import settings


def status(as_json: AsJson = False) -> None:
    """Show the library, pending work and failures.

    Also shows the home folder, plug-ins that cannot run on this machine, and the last run. The
    command starts nothing: if the embedded Postgres is not running, it only says so.
    """
    home = settings().home
    stopped = _why_nothing_can_be_shown()
    if as_json:
        shown = {"home": str(home), "database": stopped or "running"}
        print(json.dumps(shown | ({} if stopped else _results()), default=str))
        return
    console = wide_console()
    console.print(f"home: {escape_markup(str(home))}", highlight=False)
    if stopped:
        console.print(f"database: {stopped}", highlight=False)
        return
    _print_results(console)


def _why_nothing_can_be_shown() -> str | None:
    """Return why the embedded server cannot be asked, or None if a server can be asked."""
    if settings().database_url is not None:
        return None
    server = embedded_server(settings().home)
    is_running = server.status().running
    if is_running and has_schema():
        return None
    if is_up_running(settings().home):
        return "starting; run `mirpipe status` again in some seconds"
    if is_running:
        return "running without tables; run `mirpipe db up`"
    if server.data.exists():
        return "stopped; run `mirpipe up`, or `mirpipe db up` to start only Postgres"
    return (
        "none yet; run `mirpipe up --references FOLDER --targets FOLDER`, or set MIRPIPE_HOME to "
        "the folder of an existing library"
    )


def _results() -> dict[str, object]:
    latest_runs = queries.last_runs(limit=1)
    return {
        "library": [asdict(count) for count in queries.library_counts()],
        "pending": [asdict(work) for work in queries.pending_work()],
        "failures": [asdict(count) for count in queries.failure_counts()],
        "challengers": [asdict(each) for each in queries.challengers()],
        "unavailable": [asdict(plugin) for plugin in queries.unavailable_plugins()],
        "last_run": asdict(latest_runs[0]) if latest_runs else None,
    }


def _tracks(count: queries.LibraryCount) -> str:
    without = f" ({count.without_audio} without audio)" if count.without_audio else ""
    return f"{count.tracks}{without}"


def _print_results(console: Console) -> None:
    is_running = is_up_running(settings().home)
    _print_table(
        console,
        "library",
        ("collection", "state", "tracks", "length"),
        [
            (c.collection, c.state, _tracks(c), f"{c.seconds / 60:.1f} min")
            for c in queries.library_counts()
        ],
        empty="no tracks yet; "
        + (UP_IS_RUNNING if is_running else "run `mirpipe ingest FOLDER --collection reference`"),
    )
    _print_table(
        console,
        "pending",
        ("stage", "plug-in", "revision", "items"),
        [(w.stage, w.plugin, w.revision, str(w.items)) for w in queries.pending_work()],
        empty="none; everything is up to date",
    )
    _print_table(
        console,
        "failures",
        ("stage", "reason", "items", "retried"),
        [
            (c.stage, c.reason, str(c.items), "will be tried again" if c.retry else "bad input")
            for c in queries.failure_counts()
        ],
        empty="none",
    )
    if challengers := queries.challengers():
        _print_table(
            console,
            "challengers (`mirpipe compare NAME` says what would change)",
            ("kind", "name", "revision", "progress", "verdict", "compared (UTC)"),
            [
                (
                    each.kind,
                    each.name,
                    each.revision,
                    queries.progress_text(each),
                    queries.verdict_text(each) + _margins(each),
                    f"{each.compared_at:%Y-%m-%d %H:%M}" if each.compared_at else "",
                )
                for each in challengers
            ],
            empty="",
        )
    if unavailable := queries.unavailable_plugins():
        rows = [(plugin.name, plugin.message) for plugin in unavailable]
        _print_table(console, "unavailable", ("plug-in", "reason"), rows, empty="")
    if latest_runs := queries.last_runs(limit=1):
        run = latest_runs[0]
        console.print(
            f"last run: {run.run_id}, {run.finished_at:%Y-%m-%d %H:%M} UTC, "
            f"last checked {run.confirmed_at:%Y-%m-%d %H:%M} UTC",
            highlight=False,
        )
    else:
        console.print(f"last run: none yet; {UP_IS_RUNNING if is_running else 'run `mirpipe run`'}")


def _margins(challenger: queries.Challenger) -> str:
    """Return the margins of the last verdict in parentheses. Empty if there are none."""
    margins = queries.margins_text(challenger)
    return f" (margin {margins})" if margins else ""


def _print_table(
    console: Console,
    title: str,
    columns: tuple[str, ...],
    rows: Sequence[tuple[str, ...]],
    *,
    empty: str,
) -> None:
    """Print the rows below the title, or the text `empty` if there are no rows.

    The names of the columns are printed only in a terminal that is too narrow for a table.
    """
    console.print(f"{title}:", highlight=False)
    if not rows:
        console.print(f"    {empty}", highlight=False)
        return
    table = Table("", *columns, box=None, show_header=False, pad_edge=False)
    for row in rows:
        table.add_row("", *map(escape_markup, row))
    print_table(console, table)
