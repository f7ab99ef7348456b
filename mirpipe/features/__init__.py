"""What is measured of a track, to caption it and to condition a generation on it."""

from mirpipe.features.measuring import LONGEST_SECONDS, SAMPLE_RATE, SPEC, VERSION, measure
from mirpipe.features.storage import from_row, to_row

__all__ = [
    "LONGEST_SECONDS",
    "SAMPLE_RATE",
    "SPEC",
    "VERSION",
    "from_row",
    "measure",
    "to_row",
]
