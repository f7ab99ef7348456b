"""The server's log file: created before the server starts, and quoted in error messages."""

import contextlib
from pathlib import Path

from mirpipe.postgres.os_account import Account, change_owner

_MAXIMUM_BYTES = 16 << 20
_LINES_IN_MESSAGES = 12


def prepare_log(cluster: Path, account: Account | None) -> Path:
    """Prepare a log file that `account` can write in the folder `cluster`, and return its path.

    If the existing log is larger than 16 MiB, it is first renamed to `log.1`.
    """
    log = cluster / "log"
    if log.exists() and log.stat().st_size > _MAXIMUM_BYTES:
        log.replace(cluster / "log.1")
    log.touch(mode=0o600)
    change_owner(log, account)
    return log


def end_of_log(cluster: Path) -> str:
    """Return the last 12 lines of the log, after a line with its path."""
    log = cluster / "log"
    with contextlib.suppress(OSError):
        lines = log.read_text(errors="replace").splitlines()[-_LINES_IN_MESSAGES:]
        return f"End of {log}:\n" + "\n".join(lines)
    return f"{log} cannot be read."
