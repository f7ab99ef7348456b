"""Gives `restore` a local folder with the files of a backup, wherever the backup is."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from mirpipe.errors import ConfigurationError
from mirpipe.files.addresses import Address, S3Address
from mirpipe.operations.backup.backup_manifest import MANIFEST, read_manifest
from mirpipe.operations.backup.parallel_files import in_parallel
from mirpipe.settings import settings
from mirpipe.storage.objects import current_version, download


@contextmanager
def local_backup(place: Address) -> Iterator[Path]:
    """Yield a folder with the backup's files. A backup in a bucket is downloaded into the home.

    Errors about the files name the backup, and not its copy. Raises ConfigurationError if the
    backup is not complete, and StorageUnavailable if the bucket does not answer.
    """
    if isinstance(place, Path):
        yield place.expanduser().absolute()
        return
    settings().home.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="restore-", dir=settings().home) as folder:
        try:
            _download(place, Path(folder), MANIFEST)
            names = [*read_manifest(Path(folder)).files]
            for _ in in_parallel(lambda name: _download(place, Path(folder), name), names):
                pass
            yield Path(folder)
        except ConfigurationError as error:
            raise ConfigurationError(str(error).replace(folder, str(place))) from error


def _download(place: S3Address, folder: Path, name: str) -> None:
    """Download a file of the backup. A missing file is left to the checks of `restore`."""
    with suppress(FileNotFoundError):
        version = current_version(place / name)
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        with (folder / name).open("xb") as file:
            download(place / name, version.etag, file)
