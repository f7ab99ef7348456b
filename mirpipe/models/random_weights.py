"""Recognises random weights, which tests use in place of the published weights.

Random weights are stored separately from published weights, in the folder that MIRPIPE_STAND_INS
names.
"""

from pathlib import Path

from mirpipe.settings import settings
from mirpipe.specs import WeightFile


def find_random_weights(file: WeightFile) -> Path | None:
    """Return the path of the random weights for this file, or None if there are none."""
    folder = settings().stand_ins
    if folder is None:
        return None
    path = folder / file.repository / file.filename
    return path if path.is_file() else None
