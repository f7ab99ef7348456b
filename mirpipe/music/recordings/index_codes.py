"""Selects the values of a fingerprint by which tracks with common passages are found.

Another encoding of a recording changes some bits of many values and no bit of the others, and
unrelated music hardly ever has an equal 32-bit value. Which values are selected depends on the
values alone, so a cut of a track keeps those of its passage.
"""

import numpy as np

from mirpipe.audio.fingerprint import SILENT_VALUE
from mirpipe.records import Bool, UInt32

SHORT_VALUES = 400
"""All values of a fingerprint with up to this many values are selected, for 50 s of audio."""
SELECTED_SHARE = 1 / 4
"""Share of the values of a longer fingerprint that are selected."""
_HASH_FACTOR = np.uint32(2_654_435_769)
"""Knuth's factor for multiplicative hashing: 2^32 divided by the golden ratio."""


def index_codes(values: UInt32) -> list[int]:
    """Return the selected distinct values as signed 32-bit numbers, sorted.

    Digital silence is left out.
    """
    distinct = np.unique(values[values != SILENT_VALUE])
    if len(values) > SHORT_VALUES:
        distinct = distinct[_is_selected(distinct)]
    return sorted(distinct.view(np.int32).tolist())


def _is_selected(values: UInt32) -> Bool:
    selected: Bool = values * _HASH_FACTOR < np.uint32(SELECTED_SHARE * 2**32)
    return selected
