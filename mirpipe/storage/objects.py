"""Lists, reads, writes and deletes objects. All requests raise the errors of `bucket_of`."""

from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from os.path import commonpath
from pathlib import Path
from typing import BinaryIO

from obstore.exceptions import BaseError
from obstore.store import S3Store

from mirpipe.errors import ObjectChanged
from mirpipe.files.addresses import Address, S3Address
from mirpipe.files.printable_path import printable_path
from mirpipe.storage.buckets import bucket_of, error_code

_LIST_PAGE = 1000
_DOWNLOAD_BLOCK = 1 << 20
_RANGE_BLOCK = 1 << 18


@dataclass(frozen=True)
class ObjectVersion:
    """An object as it is listed. The ETag and the size change whenever its content changes."""

    address: S3Address
    size: int
    """Size in bytes."""
    etag: str
    """ETag, in quotation marks."""
    modified: datetime

    @property
    def modified_ns(self) -> int:
        """Time at which it was written, in nanoseconds since 1970."""
        return int(self.modified.timestamp()) * 1_000_000_000


def list_objects(folder: S3Address) -> Iterator[ObjectVersion]:
    """Yield the objects in the folder and its subfolders, sorted by key.

    Memory use does not depend on their number, and no object is read.
    """
    with bucket_of(folder, "list") as bucket:
        for page in bucket.list(folder.key or None, chunk_size=_LIST_PAGE):
            for meta in page:
                address = S3Address(folder.bucket, meta["path"])
                yield ObjectVersion(
                    address, meta["size"], meta["e_tag"] or "", meta["last_modified"]
                )


def current_version(address: S3Address) -> ObjectVersion:
    """Return the size, ETag and time of an object, without reading it."""
    with bucket_of(address, "read") as bucket:
        return _head(bucket, address)


def _head(bucket: S3Store, address: S3Address) -> ObjectVersion:
    try:
        meta = bucket.head(address.key)
    except BaseError as error:
        if error_code(error) in ("400", "401", "403"):
            # An answer to HEAD contains no cause. The answer to a list request contains it, if
            # the cause is the login and not this object.
            next(iter(bucket.list(address.key, chunk_size=1)), None)
        raise
    return ObjectVersion(address, meta["size"], meta["e_tag"] or "", meta["last_modified"])


def existing(addresses: Iterable[Address]) -> dict[S3Address, ObjectVersion]:
    """Return those of the S3 addresses that exist, with their versions.

    In each bucket, the smallest folder that contains all its addresses is listed. Memory use
    depends on the number of addresses, and not on the number of objects.
    """
    wanted: dict[str, set[S3Address]] = {}
    for address in addresses:
        if isinstance(address, S3Address):
            wanted.setdefault(address.bucket, set()).add(address)
    found: dict[S3Address, ObjectVersion] = {}
    for bucket, of_bucket in wanted.items():
        shared = commonpath([each.key.rpartition("/")[0] for each in of_bucket])
        versions = list_objects(S3Address(bucket, shared))
        found.update((each.address, each) for each in versions if each.address in of_bucket)
    return found


def download(address: S3Address, etag: str, file: BinaryIO) -> None:
    """Write the version of the object with this ETag to the file, by one GET.

    Raises ObjectChanged if the object has another ETag now.
    """
    with bucket_of(address, "read") as bucket:
        result = bucket.get(address.key, options={"if_match": etag})
        # Some servers ignore the condition.
        if result.meta["e_tag"] != etag:
            raise ObjectChanged(f"{printable_path(address)} was replaced while it was read.")
        for block in result.stream(min_chunk_size=_DOWNLOAD_BLOCK):
            file.write(block)


def read_range(
    address: S3Address, etag: str, start: int, stop: int
) -> Generator[bytes, None, None]:
    """Yield the bytes from `start` to `stop` of the version with this ETag, by one GET.

    Raises ObjectChanged if the object has another ETag now.
    """
    with bucket_of(address, "read") as bucket:
        result = bucket.get(address.key, options={"if_match": etag, "range": (start, stop)})
        # Some servers ignore the condition.
        if result.meta["e_tag"] != etag:
            raise ObjectChanged(f"{printable_path(address)} was replaced while it was read.")
        for block in result.stream(min_chunk_size=_RANGE_BLOCK):
            yield bytes(block)


def put(address: S3Address, content: bytes | Path) -> ObjectVersion:
    """Write an object, from memory or from a file, and return the new version.

    Others see either the old or the complete new object. The login must also be able to read it.
    """
    with bucket_of(address, "write") as bucket:
        bucket.put(address.key, content)
    with bucket_of(address, "read back") as bucket:
        return _head(bucket, address)


def delete(address: S3Address) -> None:
    """Delete an object. An object that does not exist is no error."""
    with bucket_of(address, "delete") as bucket:
        bucket.delete(address.key)
