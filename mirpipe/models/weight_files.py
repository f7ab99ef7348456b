"""Finds weight files on this machine and returns them with their SHA-256."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mirpipe.errors import Unavailable
from mirpipe.models.file_hash_cache import cached_sha256
from mirpipe.models.random_weights import find_random_weights
from mirpipe.models.weight_verification import require_confirmed, verify_sha256
from mirpipe.settings import settings
from mirpipe.specs import WeightFile


@dataclass(frozen=True)
class WeightPath:
    """The path of a weight file that exists but has not been verified yet."""

    path: Path
    random: bool
    """Whether the file contains random weights for tests instead of the published weights."""


@dataclass(frozen=True)
class VerifiedWeights:
    """A weight file with its SHA-256. Weights that are not random have the expected SHA-256."""

    path: Path
    random: bool
    """Whether the file contains random weights for tests instead of the published weights."""
    sha256: str
    """SHA-256 of the file, in hex."""


def find_weights(file: WeightFile) -> WeightPath | None:
    """Return the path of the file, or None if this machine does not have it.

    Looks for random weights first, then in the weights folder, then in the hub's cache.
    """
    if random_weights := find_random_weights(file):
        return WeightPath(random_weights, random=True)
    path = settings().weights_folder / file.repository / file.filename
    if path.is_file():
        return WeightPath(path, random=False)
    from huggingface_hub import try_to_load_from_cache

    cached = try_to_load_from_cache(file.repository, file.filename, revision=file.commit)
    return WeightPath(Path(cached), random=False) if isinstance(cached, str) else None


def verified_weights(
    files: Sequence[WeightFile], *, plugin: str
) -> dict[WeightFile, VerifiedWeights]:
    """Return the files with their SHA-256, in the same order.

    The error message uses `plugin`, the plug-in's name. Raises Unavailable with the reason
    `weights_missing` if this machine does not have all files, `weights_unconfirmed` if no SHA-256
    of a file is published and the user has not confirmed the file, or `weights_refused` if a file's
    SHA-256 is not the expected one.
    """
    found = {file: path for file in files if (path := find_weights(file))}
    missing = [file for file in files if file not in found]
    if missing:
        raise Unavailable(
            "weights_missing",
            _what_is_missing(missing),
            remedy=f"run `mirpipe models pull {plugin}`",
        )
    return {file: _verified(file, path, plugin=plugin) for file, path in found.items()}


def _what_is_missing(files: Sequence[WeightFile]) -> str:
    """Say how large the files are together, so that nobody takes a small file for all."""
    first, megabytes = files[0], sum(file.megabytes for file in files)
    name = f"{first.repository}/{first.filename}"
    size = f"{megabytes} MB" if megabytes < 1000 else f"{megabytes / 1000:.1f} GB"
    if len(files) == 1:
        return f"The weight file {name} ({size}) is missing"
    return f"{len(files)} weight files ({size} in all), such as {name}, are missing"


def _verified(file: WeightFile, found: WeightPath, *, plugin: str) -> VerifiedWeights:
    digest = cached_sha256(found.path)
    if not found.random:
        require_confirmed(file, plugin=plugin)
        verify_sha256(file, found.path, digest)
    return VerifiedWeights(found.path, found.random, digest)


def combined_sha256(files: list[VerifiedWeights]) -> str:
    """Return one SHA-256 for all files, in hex. For a single file, return its own SHA-256."""
    if len(files) == 1:
        return files[0].sha256
    return hashlib.sha256("".join(file.sha256 for file in files).encode()).hexdigest()
