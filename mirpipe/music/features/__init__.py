"""Measures the features of a track that captions, comparisons and generation use."""

from mirpipe.music.features.conditioning_audio import CONDITIONING_VERSION, conditioning
from mirpipe.music.features.cut_features import cut_features, cut_notes
from mirpipe.music.features.extract_all import LONGEST_SECONDS, SAMPLE_RATE, SPEC, VERSION, measure
from mirpipe.music.features.row_format import from_row, to_row, unpack_notes
from mirpipe.music.features.track_time import features_in_track, melody_in_track

__all__ = [
    "CONDITIONING_VERSION",
    "LONGEST_SECONDS",
    "SAMPLE_RATE",
    "SPEC",
    "VERSION",
    "conditioning",
    "cut_features",
    "cut_notes",
    "features_in_track",
    "from_row",
    "measure",
    "melody_in_track",
    "to_row",
    "unpack_notes",
]
