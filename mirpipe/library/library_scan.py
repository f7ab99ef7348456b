"""Finds audio files in local folders and in S3 buckets."""

from collections.abc import Iterator, Sequence

from mirpipe.files.addresses import S3Address, parse_address
from mirpipe.library.bucket_scan import scan_bucket
from mirpipe.library.folder_scan import Candidate, scan_folders


def scan(roots: Sequence[bytes]) -> Iterator[Candidate]:
    """Yield all candidates in these folders, which are stored addresses.

    Raises ConfigurationError if a folder cannot be listed, and StorageUnavailable if a bucket
    cannot be listed.
    """
    for root in roots:
        address = parse_address(root)
        if isinstance(address, S3Address):
            yield from scan_bucket(address)
        else:
            yield from scan_folders([root])
