"""Caches the SHA-256 of large files by path, size and modification time."""

from pathlib import Path

from mirpipe.files import sha256 as file_hash
from mirpipe.models import json_entries
from mirpipe.settings import settings

CACHE = "fingerprints.json"
"""Name of the cache file in the home folder."""


def cached_sha256(path: Path) -> str:
    """Return the file's SHA-256 in hex.

    The file is read again only if its size or modification time has changed since the last call.
    Raises OSError.
    """
    status = path.stat()
    cache = settings().home / CACHE
    size_and_time = [status.st_size, status.st_mtime_ns]
    entry = json_entries.read_entries(cache).get(str(path))
    if entry and entry[:2] == size_and_time:
        return str(entry[2])
    digest = file_hash.sha256(path).hex()
    json_entries.add_entry(cache, str(path), [*size_and_time, digest])
    return digest
