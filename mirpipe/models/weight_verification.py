"""Checks the SHA-256 of a weight file, so that no other file is used in its place.

If the publisher states no SHA-256, the user confirms the first copy of the file. The hash of this
copy is recorded as trusted on first use, and later copies must have the same hash.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from mirpipe.errors import Unavailable
from mirpipe.models import json_entries
from mirpipe.settings import settings
from mirpipe.specs import WeightFile

RECORD = "trusted_on_first_use.json"
"""Name of the file in the weights folder that records the trusted first copies."""


@dataclass(frozen=True)
class FirstUse:
    """The first copy of a weight file without a published SHA-256, which the user confirmed."""

    sha256: str
    trusted_on: str
    """Date on which the user confirmed the copy (UTC), as YYYY-MM-DD."""
    commit: str | None
    """Commit from which the copy was downloaded. None if the hub stated none."""


def record_file() -> Path:
    """Return the file that records the trusted first copies.

    It is in the weights folder, so that all machines and containers that share the weights also
    share the record.
    """
    return settings().weights_folder / RECORD


def first_use(file: WeightFile) -> FirstUse | None:
    """Return the trusted first copy, or None if no copy has been confirmed on this machine."""
    entry = json_entries.read_entries(record_file()).get(_key(file))
    return FirstUse(**entry) if entry else None


def is_unconfirmed(file: WeightFile) -> bool:
    """Return whether there is neither a published SHA-256 nor a trusted first copy."""
    return file.sha256 is None and first_use(file) is None


def trust(file: WeightFile, digest: str, *, commit: str | None = None) -> None:
    """Record that the user trusts the copy with this SHA-256, in hex, from today on."""
    today = datetime.now(UTC).date().isoformat()
    json_entries.add_entry(record_file(), _key(file), asdict(FirstUse(digest, today, commit)))


def trusted_on(files: Iterable[WeightFile]) -> str | None:
    """Return the latest date on which a first copy of these files was trusted.

    Returns None if a SHA-256 is published for every file, or if no copy has been confirmed.
    """
    copies = [first_use(file) for file in files if file.sha256 is None]
    return max((copy.trusted_on for copy in copies if copy), default=None)


def require_confirmed(file: WeightFile, *, plugin: str) -> None:
    """Raise Unavailable (`weights_unconfirmed`) if `is_unconfirmed(file)`."""
    if is_unconfirmed(file):
        raise Unavailable(
            "weights_unconfirmed",
            f"The publisher of {file.repository}/{file.filename} states no SHA-256, so you must "
            "confirm the first copy",
            remedy=f"run `mirpipe models pull {plugin}` in a terminal, or add --trust-first-copy "
            "to this command",
        )


def verify_sha256(file: WeightFile, path: Path, digest: str) -> None:
    """Raise Unavailable (`weights_refused`) if `digest` is not the expected SHA-256 of `file`.

    `digest` is the SHA-256 of `path`, in hex. The expected SHA-256 is the published one, or that of
    the trusted first copy. The file must be confirmed (`require_confirmed`).
    """
    name = f"{file.repository}/{file.filename}"
    if file.sha256 is not None:
        expected, origin, remedy = file.sha256, "", ""
    else:
        copy = first_use(file)
        assert copy is not None, f"{name} is not confirmed"
        expected, origin = copy.sha256, f" that was trusted on first use on {copy.trusted_on}"
        remedy = (
            ". If you trust the new file instead, first delete the entry of the old one in "
            f"{record_file()}"
        )
    if digest != expected:
        raise Unavailable(
            "weights_refused",
            f"{path} is not the file {name}{origin} (its SHA-256 is {digest}, not {expected})",
            remedy=f"delete the file and download it again with `mirpipe models pull`{remedy}",
        )


def _key(file: WeightFile) -> str:
    return f"{file.repository}@{file.commit}/{file.filename}"
