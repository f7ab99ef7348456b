"""Reads small JSON files that contain entries by key, and adds entries to them."""

import fcntl
import json
from pathlib import Path
from typing import Any


def read_entries(path: Path) -> dict[str, Any]:
    """Return all entries of the file.

    Returns an empty dictionary if there is no such file, or if it is not valid JSON.
    """
    try:
        entries: dict[str, Any] = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return entries


def add_entry(path: Path, key: str, value: object) -> None:
    """Add one entry to the file. The file and its folder are created if they do not exist.

    A lock file ensures that no entries are lost if several processes add entries at the same time.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        new = path.with_suffix(".new")
        new.write_text(json.dumps(read_entries(path) | {key: value}, indent=1))
        new.replace(path)
