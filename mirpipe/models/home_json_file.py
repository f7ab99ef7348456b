"""Reads small JSON files in the home folder, and adds entries to them."""

import fcntl
import json
from typing import Any

from mirpipe.settings import settings


def read_entries(name: str) -> dict[str, Any]:
    """Return all entries of the file `name` in the home folder.

    Returns an empty dictionary if there is no such file, or if it is not valid JSON.
    """
    try:
        entries: dict[str, Any] = json.loads((settings().home / name).read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return entries


def add_entry(name: str, key: str, value: object) -> None:
    """Add one entry to the file `name` in the home folder.

    A lock file ensures that no entries are lost if several processes add entries at the same time.
    """
    path = settings().home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        new = path.with_suffix(".new")
        new.write_text(json.dumps(read_entries(name) | {key: value}, indent=1))
        new.replace(path)
