"""Deletes Airflow's old history and task logs, when their retention time is over.

Run as a program, this module deletes the old task logs of this machine.
"""

import contextlib
import os
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mirpipe.errors import ConfigurationError, StageFailed
from mirpipe.orchestration import airflow_home
from mirpipe.orchestration.airflow_cli import airflow_command
from mirpipe.settings import Settings, settings

BATCH_ROWS = "10000"
"""Number of rows that Airflow deletes in one transaction."""


def clean_history(settings: Settings) -> datetime:
    """Delete old rows of Airflow's metadata database, and return the time before which they are.

    A task cannot use the database connection of Airflow's servers, so the URL is taken from the
    setting MIRPIPE_AIRFLOW_DATABASE_URL. Raises ConfigurationError if it is not set, and
    StageFailed if the command fails. Can be killed and run again.
    """
    if settings.airflow_database_url is None:
        raise ConfigurationError(
            "Cannot delete Airflow's old history: its database is not known. Set "
            "MIRPIPE_AIRFLOW_DATABASE_URL."
        )
    before = datetime.now(UTC) - timedelta(days=settings.keep_airflow_days)
    for arguments in (
        (
            *("clean", "--yes", "--skip-archive", "--error-on-cleanup-failure"),
            *("--clean-before-timestamp", before.isoformat(), "--batch-size", BATCH_ROWS),
        ),
        ("drop-archived", "--yes"),  # A killed `clean` leaves the rows in such a table.
    ):
        command = airflow_command("db", *arguments)
        variables = {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": settings.airflow_database_url}
        process = subprocess.run(command, env=os.environ | variables, check=False)
        if process.returncode:
            raise StageFailed(
                f"`airflow db {arguments[0]}` failed with exit code {process.returncode}. The log "
                "above shows the cause. The next run deletes the remaining rows."
            )
    return before


def delete_old_logs(settings: Settings) -> int:
    """Delete log files that have not changed for this long, and the folders that are empty then.

    Own code, because Airflow has no command for it. Returns the number of deleted files.
    """
    oldest = time.time() - settings.keep_airflow_days * 86_400
    logs = airflow_home.folder(settings) / "logs"
    # The times are read first, because deleting a file changes the time of its folder.
    old = [path for path in logs.rglob("*") if _is_older(path, oldest)]
    deleted = 0
    # A folder comes after its content.
    for path in sorted(old, key=lambda path: len(path.parts), reverse=True):
        # An OSError means that the folder is not empty, or that another process deleted the file.
        with contextlib.suppress(OSError):
            if path.is_dir() and not path.is_symlink():
                path.rmdir()
            else:
                path.unlink()
                deleted += 1
    return deleted


def _is_older(path: Path, time_limit: float) -> bool:
    try:
        return path.lstat().st_mtime < time_limit
    except OSError:  # Another process has deleted the file.
        return False


if __name__ == "__main__":
    print(f"{delete_old_logs(settings())} old log files were deleted.")
