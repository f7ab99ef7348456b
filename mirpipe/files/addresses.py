"""Addresses of files and folders: a local path, or an object in an S3 bucket.

Addresses are stored in the database as bytes: a path as the file system returns it, or the URL
`s3://BUCKET/KEY`. A local path is absolute, so it never begins with `s3://`.
"""

import os
from dataclasses import dataclass
from pathlib import Path

S3_SCHEME = "s3://"


@dataclass(frozen=True)
class S3Address:
    """An object in a bucket, or a folder of objects. It can be used wherever a path is printed."""

    bucket: str
    key: str
    """Name of the object, or the beginning of the objects' names up to a `/`. It may be empty."""

    def __str__(self) -> str:
        return f"{S3_SCHEME}{self.bucket}/{self.key}".removesuffix("/")

    def __fspath__(self) -> str:
        return str(self)

    def __truediv__(self, name: str) -> "S3Address":
        return S3Address(self.bucket, f"{self.key}/{name}".removeprefix("/"))

    @property
    def name(self) -> str:
        """Last part of the key."""
        return self.key.rpartition("/")[2]


Address = Path | S3Address


def parse_address(text: str | bytes) -> Address:
    """Return the address that the text or the stored bytes name.

    Raises ValueError if the text begins with `s3://`, but does not name a bucket.
    """
    name = os.fsdecode(text)
    if not name.startswith(S3_SCHEME):
        return Path(name)
    bucket, _, key = name.removeprefix(S3_SCHEME).partition("/")
    if not bucket:
        raise ValueError(f"{name!r} does not name a bucket: write s3://BUCKET/FOLDER")
    return S3Address(bucket, key.strip("/"))


def absolute_address(text: str) -> Address:
    """Return the address that a user wrote, with `~` replaced. A relative path becomes absolute."""
    address = parse_address(text)
    return address.expanduser().absolute() if isinstance(address, Path) else address
