"""`mirpipe prune`: deletes data that is not needed any more."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from mirpipe.cli.command_arguments import AsJson
from mirpipe.settings import settings

if TYPE_CHECKING:
    from mirpipe.operations.prune import TableChange


def prune(
    yes: Annotated[
        bool, typer.Option("--yes", help="Delete. Without this option, nothing is deleted.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Delete data that is not needed any more.

    Shows what would be deleted, and deletes it only with --yes. Results from replaced revisions,
    results for removed tracks, and details of earlier runs are deleted after
    MIRPIPE_KEEP_UNUSED_DAYS days.
    The matches and summaries of all runs are kept. The page "Operate mirpipe" in the documentation
    states the rule for each table. The Airflow DAG `maintenance` runs this command every night.

    The command can be stopped at any time and run again. Postgres does not return the space of
    deleted rows to the disk, but uses it for new rows.
    """
    from mirpipe.db.queries.sentence_parts import counted
    from mirpipe.operations import prune as operation

    result = operation.prune(settings()) if yes else operation.count_unneeded(settings())
    if as_json:
        deleted = {change.table: change.unneeded for change in result.tables if change.unneeded}
        print(json.dumps({"deleted": yes, "rows": deleted, **asdict(result)}))
        return
    shown = [change for change in result.tables if change.unneeded]
    if shown:
        _print_table(shown, is_deleted=yes)
    verb = "deleted" if yes else "would be deleted"
    rows = sum(change.unneeded for change in result.tables)
    files = counted(result.audio_files, "audio file")
    print(f"{counted(rows, 'row')} and {files} {verb}")
    if (rows or result.audio_files) and not yes:
        print("To delete them, run `mirpipe prune --yes`.")


def _print_table(changes: "Sequence[TableChange]", *, is_deleted: bool) -> None:
    from rich.table import Table

    from mirpipe.cli.table_layout import print_table
    from mirpipe.cli.terminal_text import wide_console

    table = Table("table", box=None)
    names = ["rows before", "deleted" if is_deleted else "not needed", "rows after"]
    for name in (*names, "MB before", "MB after"):
        table.add_column(name, justify="right")
    for change in changes:
        rows_after = change.after.rows if is_deleted else change.before.rows - change.unneeded
        table.add_row(
            change.table,
            f"{change.before.rows:,}",
            f"{change.unneeded:,}",
            f"{rows_after:,}",
            f"{change.before.bytes / 1e6:.1f}",
            f"{change.after.bytes / 1e6:.1f}" if is_deleted else "",
        )
    print_table(wide_console(), table)
