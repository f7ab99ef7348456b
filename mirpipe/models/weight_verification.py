"""Checks the SHA-256 of a weight file, so that no other file is used in its place."""

from pathlib import Path

from mirpipe.errors import Unavailable
from mirpipe.models import home_json_file
from mirpipe.specs import WeightFile

FIRST_SEEN = "trusted_weights.json"
"""Name of the file in the home folder that stores each weight file's SHA-256 when first seen."""


def verify_sha256(file: WeightFile, path: Path, digest: str) -> None:
    """Raise Unavailable (`weights_refused`) if `digest` is not the expected SHA-256 of `file`.

    `digest` is the SHA-256 of `path`, in hex. The expected SHA-256 is the one that the publisher
    states. If the publisher states none, it is the SHA-256 of the first copy of the file that was
    seen on this machine.
    """
    key = f"{file.repository}@{file.commit}/{file.filename}"
    expected = file.sha256 or home_json_file.read_entries(FIRST_SEEN).get(key)
    if expected is None:
        home_json_file.add_entry(FIRST_SEEN, key, digest)
    elif digest != expected:
        raise Unavailable(
            "weights_refused",
            f"{path} is not {file.repository}/{file.filename} (its SHA-256 is {digest}, not "
            f"{expected})",
            remedy="delete the file and download it again with `mirpipe models pull`",
        )
