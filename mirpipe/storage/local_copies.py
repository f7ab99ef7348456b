"""Gives code that reads files a local path for any address."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mirpipe.errors import RejectedInput
from mirpipe.files.addresses import Address
from mirpipe.files.printable_path import printable_path
from mirpipe.storage.object_cache import cached_copy


@contextmanager
def local_copy(address: Address, etag: str | None = None) -> Iterator[Path]:
    """Yield a local path with the content of the file at this address, while the context is open.

    A local file is not copied. `etag` selects the version of an object; None is the current one.
    Messages about the content name the object, and not its copy. Raises the errors of
    `cached_copy`.
    """
    if isinstance(address, Path):
        yield address
        return
    with cached_copy(address, etag) as path:
        try:
            yield path
        except RejectedInput as error:
            message = str(error).replace(printable_path(path), printable_path(address))
            raise RejectedInput(error.reason, message) from error
