"""Which files exist at local or S3 addresses, how old they are, and deleting them."""

import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from mirpipe.files.addresses import Address, S3Address
from mirpipe.storage.objects import delete, existing, list_objects


def missing_files(addresses: Iterable[Address]) -> list[Address]:
    """Return the addresses at which no file exists. Objects are found by listing their folders.

    Raises StorageUnavailable if a bucket cannot be listed.
    """
    checked = list(addresses)
    objects = existing(checked)
    return [
        address
        for address in checked
        if (address not in objects if isinstance(address, S3Address) else not address.is_file())
    ]


def old_files(folder: Address, min_age_seconds: float) -> Iterator[Address]:
    """Yield the files in the folder and its subfolders that are older than this."""
    latest = time.time() - min_age_seconds
    if isinstance(folder, S3Address):
        found = list_objects(folder)
        yield from (each.address for each in found if each.modified.timestamp() < latest)
        return
    for path in folder.rglob("*"):
        if path.is_file() and path.stat().st_mtime < latest:
            yield path


def old_among(addresses: Iterable[Address], min_age_seconds: float) -> list[Address]:
    """Return the addresses at which a file exists that is older than this.

    Objects are found by listing their folders. Raises StorageUnavailable if a bucket cannot be
    listed.
    """
    checked = list(addresses)
    objects = existing(checked)
    latest = time.time() - min_age_seconds
    old: list[Address] = []
    for address in checked:
        if isinstance(address, S3Address):
            version = objects.get(address)
            is_old = version is not None and version.modified.timestamp() < latest
        else:
            is_old = address.is_file() and address.stat().st_mtime < latest
        if is_old:
            old.append(address)
    return old


def delete_file(address: Address) -> None:
    """Delete the file at this address. A file that does not exist is no error."""
    if isinstance(address, Path):
        address.unlink(missing_ok=True)
    else:
        delete(address)
