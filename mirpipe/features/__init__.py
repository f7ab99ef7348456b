"""What is measured of a track, to caption it, compare it, and condition a generation on it."""

from mirpipe.features.conditioning import CONDITIONING_VERSION, conditioning
from mirpipe.features.contradictions import contradictions
from mirpipe.features.measuring import LONGEST_SECONDS, SAMPLE_RATE, SPEC, VERSION, measure
from mirpipe.features.storage import from_row, to_row
from mirpipe.features.storage import unpack as unpack_notes

__all__ = [
    "CONDITIONING_VERSION",
    "LONGEST_SECONDS",
    "SAMPLE_RATE",
    "SPEC",
    "VERSION",
    "conditioning",
    "contradictions",
    "from_row",
    "measure",
    "to_row",
    "unpack_notes",
]
