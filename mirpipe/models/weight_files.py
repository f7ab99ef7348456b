"""Where weights lie, and whether they are the bytes that they must be."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from mirpipe.errors import Unavailable
from mirpipe.models import file_hash_cache
from mirpipe.settings import settings
from mirpipe.specs import WeightFile

_TRUSTED = "trusted_weights.json"


@dataclass(frozen=True)
class Found:
    """A file that is there; `random`: a stand-in for tests, not the published weights."""

    path: Path
    random: bool


@dataclass(frozen=True)
class Checked:
    """A file whose bytes are known, and are those that they must be."""

    path: Path
    random: bool
    sha256: str


def folder() -> Path:
    """Where weights are kept, as REPOSITORY/FILE."""
    return settings().models_dir or settings().home / "models"


def find(file: WeightFile) -> Found | None:
    """The file among the stand-ins, in the folder or in the hub's cache; None where it is not."""
    inside = Path(file.repository) / file.filename
    stand_ins = settings().stand_ins
    if stand_ins and (stand_ins / inside).is_file():
        return Found(stand_ins / inside, random=True)
    if (folder() / inside).is_file():
        return Found(folder() / inside, random=False)
    from huggingface_hub import try_to_load_from_cache

    cached = try_to_load_from_cache(file.repository, file.filename, revision=file.commit)
    return Found(Path(cached), random=False) if isinstance(cached, str) else None


def require(file: WeightFile, *, remedy: str) -> Checked:
    """The file with its SHA-256. Raises Unavailable, ending with `remedy`, where it is missing.

    Raises Unavailable too where it is not the publisher's or not what was first seen here.
    """
    found = find(file)
    if found is None:
        raise Unavailable(
            "weights_missing",
            f"{file.repository}/{file.filename} ({file.megabytes} MB) is missing: {remedy}",
        )
    digest = file_hash_cache.sha256(found.path)
    if not found.random:
        hold_to(file, digest, found.path)
    return Checked(found.path, found.random, digest)


def hold_to(file: WeightFile, digest: str, path: Path) -> None:
    """Raises Unavailable where the file's bytes are not the published or the first seen ones.

    The first file that is seen sets the bytes where the publisher gives no SHA-256.
    """
    key = f"{file.repository}@{file.commit}/{file.filename}"
    expected = file.sha256 or file_hash_cache.remembered(_TRUSTED).get(key)
    if expected is None:
        file_hash_cache.remember(_TRUSTED, key, digest)
    elif digest != expected:
        raise Unavailable(
            "weights_refused",
            f"{path} is not {file.repository}/{file.filename}: its SHA-256 is {digest}, not "
            f"{expected}. Delete it and fetch it again",
        )


def identity(files: list[Checked]) -> str:
    """One SHA-256 for all: the file's own where there is one."""
    if len(files) == 1:
        return files[0].sha256
    return hashlib.sha256("".join(file.sha256 for file in files).encode()).hexdigest()
