"""SHA-256 of large files, remembered by path, size and time of change."""

import fcntl
import json
from pathlib import Path
from typing import Any

from mirpipe.files import sha256 as file_hash
from mirpipe.settings import settings


def sha256(path: Path) -> str:
    """The file's SHA-256 in hex; read anew only when its size or time of change differ."""
    status = path.stat()
    seen = [status.st_size, status.st_mtime_ns]
    known = remembered(_FILES).get(str(path))
    if known and known[:2] == seen:
        return str(known[2])
    digest = file_hash.sha256(path).hex()
    remember(_FILES, str(path), [*seen, digest])
    return digest


_FILES = "fingerprints.json"


def remembered(name: str) -> dict[str, Any]:
    """What the file `name` in the home folder holds; nothing where there is none."""
    try:
        found: dict[str, Any] = json.loads((settings().home / name).read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return found


def remember(name: str, key: str, value: object) -> None:
    """Adds one entry to the file `name`; processes that do so at the same time lose nothing."""
    path = settings().home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        new = path.with_suffix(".new")
        new.write_text(json.dumps(remembered(name) | {key: value}, indent=1))
        new.replace(path)
