"""Links weight files into one temporary folder, because libraries load a model from one folder."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory


@contextmanager
def weight_folder(files: Mapping[str, Path]) -> Iterator[Path]:
    """Yield a temporary folder that contains a link to each file under its published name.

    `files` maps published names, which can contain folders, to paths. The files themselves can be
    in different folders and can have other names.
    """
    with TemporaryDirectory() as name:
        folder = Path(name)
        for filename, path in files.items():
            link = folder / filename
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(path.resolve())
        yield folder
