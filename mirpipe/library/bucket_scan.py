"""Finds audio files in S3 buckets by object name, and skips hidden objects and folders.

The scan lists objects and reads none. A candidate's ETag and size say whether its content has
changed, so an object that was written again with the same content is not read again.
"""

from collections.abc import Iterator
from contextlib import suppress

from mirpipe.files.addresses import S3Address
from mirpipe.library.folder_scan import Candidate, has_audio_suffix
from mirpipe.storage.objects import ObjectVersion, current_version, list_objects


def scan_bucket(root: S3Address) -> Iterator[Candidate]:
    """Yield all candidates in the folder `root` of a bucket and its subfolders, sorted by key.

    The root may also be a single object. Raises StorageUnavailable if the bucket cannot be listed.
    """
    is_empty = True
    for version in list_objects(root):
        is_empty = False
        names = version.address.key[len(root.key) :].split("/")
        if not any(name.startswith(".") for name in names):
            yield from _candidate(version)
    if is_empty and root.key:
        with suppress(FileNotFoundError):
            yield from _candidate(current_version(root))


def _candidate(version: ObjectVersion) -> Iterator[Candidate]:
    path = str(version.address).encode("utf-8", "surrogateescape")
    if has_audio_suffix(path):
        yield Candidate(
            path, version.size, version.modified_ns, version.modified_ns, etag=version.etag
        )
