"""Finds the longest passage that two fingerprints have in common.

1. Equal values of the two fingerprints give the offsets that are tried.
2. At an offset, the passage is the run of values with the greatest sum of the shares of equal bits
   above 70%, which lies between the 50% of unrelated music and the 100% of a copy.
3. The share of equal bits in the passage is corrected for chance, like Cohen's kappa: fingerprints
   of drum loops have 80 to 90% equal bits without any common recording.

In the demo library, unrelated pairs reach a corrected agreement of 0.30, and the same tune at two
tempos 0.65 over 9 s. ADR 28 lists which copies are found.
"""

from dataclasses import dataclass

import numpy as np

from mirpipe.audio.fingerprint import MIN_VALUES, SILENT_VALUE
from mirpipe.records import Float64, Int64, UInt32

HOP_SECONDS = 1365 / 11_025
"""Time from one value of a fingerprint to the next."""
VALUE_SECONDS = (4096 + 19 * 1365) / 11_025
"""Duration of the audio that one value describes."""
MIN_AGREEMENT = 0.7
"""Share of equal bits above which a value extends the passage."""
MIN_CORRECTED = 0.65
"""Smallest agreement of the complete passage, corrected for chance."""
MIN_EVIDENCE = 12.0
"""Smallest number of values times their corrected agreement above 0.5. A passage of 12 s reaches it
with the smallest agreement, and one of 7.6 s needs 0.8: the best few seconds of two performances of
a slow tune can be very similar."""
MAX_OFFSETS = 8
"""Number of offsets that are tried: those with the most equal values."""
MAX_REPEATS = 32
"""A value that occurs more often in a track, such as that of a held chord, gives no offset."""
_BITS = 32


@dataclass(frozen=True)
class CommonPassage:
    """A passage that two tracks have in common."""

    agreement: float
    """Share of equal bits, 0 … 1. About 0.5 is expected for unrelated music."""
    overlap_seconds: float
    offset_seconds: float
    """Start of the passage in the other track minus its start in the track."""


def common_passage(values: UInt32, other: UInt32) -> CommonPassage | None:
    """Return the passage that is longest after correction for chance, or None if there is none.

    Both fingerprints have the shape (n,). If they are swapped, only the sign of the offset changes.
    """
    if values.tobytes() > other.tobytes():  # Ties depend on the order.
        swapped = common_passage(other, values)
        if swapped is None:
            return None
        return CommonPassage(swapped.agreement, swapped.overlap_seconds, -swapped.offset_seconds)
    found = [
        (corrected * length, -abs(offset), offset, agreement, length)
        for offset in _likely_offsets(values, other)
        for agreement, corrected, length in _passage_at(values, other, offset)
    ]
    if not found:
        return None
    _, _, offset, agreement, length = max(found)
    seconds = (length - 1) * HOP_SECONDS + VALUE_SECONDS
    return CommonPassage(agreement, seconds, offset * HOP_SECONDS)


def _likely_offsets(values: UInt32, other: UInt32) -> list[int]:
    """Return the offsets in values at which most values are equal."""
    positions, other_positions = _rare_positions(values), _rare_positions(other)
    order = other_positions[np.argsort(other[other_positions], kind="stable")]
    first = np.searchsorted(other[order], values[positions], "left")
    counts = np.searchsorted(other[order], values[positions], "right") - first
    ends = np.cumsum(counts)
    within = np.arange(counts.sum()) - np.repeat(ends - counts, counts)
    matches = order[within + np.repeat(first, counts)]
    offsets, votes = np.unique(matches - np.repeat(positions, counts), return_counts=True)
    ranked = np.lexsort((offsets, abs(offsets), -votes))
    return [int(offset) for offset in offsets[ranked][:MAX_OFFSETS]]


def _rare_positions(values: UInt32) -> Int64:
    """Return the positions of the values that are neither silence nor repeated too often."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.flatnonzero((counts[inverse] <= MAX_REPEATS) & (values != SILENT_VALUE))


def _passage_at(values: UInt32, other: UInt32, offset: int) -> list[tuple[float, float, int]]:
    """Return the agreement, the corrected agreement and the number of values of the passage.

    The list is empty if there is no passage at this offset.
    """
    start = max(0, -offset)
    length = min(len(values) - start, len(other) - start - offset)
    values, other = values[start : start + length], other[start + offset :][:length]
    sounding = (values != SILENT_VALUE) & (other != SILENT_VALUE)
    equal = 1 - np.bitwise_count(values ^ other) / _BITS
    passage = _greatest_sum(np.where(sounding, equal - MIN_AGREEMENT, 0))
    kept = sounding[passage]
    if np.count_nonzero(kept) < MIN_VALUES:
        return []
    bits, other_bits = _bits(values[passage][kept]), _bits(other[passage][kept])
    agreement = float((bits == other_bits).mean())
    share, other_share = bits.mean(axis=0), other_bits.mean(axis=0)
    by_chance = float((share * other_share + (1 - share) * (1 - other_share)).mean())
    corrected = (agreement - by_chance) / (1 - by_chance) if by_chance < 1 else 0.0
    is_evident = (corrected - 0.5) * len(bits) >= MIN_EVIDENCE
    return [(agreement, corrected, len(kept))] if is_evident and corrected >= MIN_CORRECTED else []


def _greatest_sum(gains: Float64) -> slice:
    """Return the shortest slice with the greatest sum."""
    sums = np.concatenate(([0.0], np.cumsum(gains)))
    end = int(np.argmax(sums - np.minimum.accumulate(sums)))
    before = sums[: end + 1]
    start = end - int(np.argmin(before[::-1]))
    return slice(start, end)


def _bits(values: UInt32) -> Float64:
    """Return the bits of each value, shape (n, 32)."""
    octets = np.ascontiguousarray(values, "<u4").view(np.uint8).reshape(-1, 4)
    return np.unpackbits(octets, axis=1).astype(np.float64)
