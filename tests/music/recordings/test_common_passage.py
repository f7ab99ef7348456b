"""A common passage is found wherever it is, and music that only resembles it has none."""

import numpy as np
import pytest

from mirpipe.audio.fingerprint import SILENT_VALUE
from mirpipe.music.recordings.common_passage import HOP_SECONDS, VALUE_SECONDS, common_passage
from mirpipe.music.recordings.index_codes import index_codes
from mirpipe.records import UInt32


def values(count: int, *, seed: int) -> UInt32:
    return np.random.default_rng(seed).integers(0, 2**32, count, dtype=np.uint32)


def noisy(clean: UInt32, share: float, *, seed: int = 99) -> UInt32:
    """Return the values with this share of their bits inverted."""
    flips = np.random.default_rng(seed).random((len(clean), 32)) < share
    return clean ^ (flips * 2 ** np.arange(32, dtype=np.uint64)).sum(axis=1).astype(np.uint32)


def joined(*parts: UInt32) -> UInt32:
    return np.concatenate(parts)


def test_equal_fingerprints_are_one_passage() -> None:
    track = values(100, seed=1)
    found = common_passage(track, track)
    assert found is not None
    assert found.agreement == 1
    assert found.offset_seconds == 0
    assert found.overlap_seconds == pytest.approx(99 * HOP_SECONDS + VALUE_SECONDS)


def test_a_passage_is_found_at_different_places_in_both_tracks() -> None:
    passage = values(80, seed=1)
    track = joined(values(50, seed=2), passage, values(500, seed=3))
    other = joined(values(400, seed=4), noisy(passage, 0.05), values(20, seed=5))
    found = common_passage(track, other)
    assert found is not None
    assert found.offset_seconds == pytest.approx(350 * HOP_SECONDS)
    assert found.overlap_seconds == pytest.approx(80 * HOP_SECONDS + VALUE_SECONDS, abs=3)
    assert found.agreement == pytest.approx(0.93, abs=0.03)


def test_swapped_tracks_have_the_opposite_offset() -> None:
    track = values(300, seed=1)
    other = noisy(joined(values(30, seed=2), track[100:200]), 0.04)
    found, swapped = common_passage(track, other), common_passage(other, track)
    assert found is not None
    assert swapped is not None
    assert swapped.offset_seconds == -found.offset_seconds
    assert (swapped.agreement, swapped.overlap_seconds) == (found.agreement, found.overlap_seconds)


def test_the_longest_of_several_passages_is_found() -> None:
    track = values(400, seed=1)
    edited = joined(track[:100], track[150:])
    found = common_passage(track, edited)
    assert found is not None
    assert found.offset_seconds == pytest.approx(-50 * HOP_SECONDS)


@pytest.mark.parametrize("count", [10, 39])
def test_a_short_passage_is_not_enough(count: int) -> None:
    passage = values(count, seed=1)
    track, other = (joined(values(200, seed=n), passage, values(200, seed=n + 5)) for n in (2, 3))
    assert common_passage(track, other) is None


def test_unrelated_and_empty_fingerprints_have_none() -> None:
    track = values(500, seed=1)
    assert common_passage(track, values(500, seed=2)) is None
    assert common_passage(track, track[:0]) is None


def test_common_silence_is_no_common_recording() -> None:
    silence = np.full(200, SILENT_VALUE, np.uint32)
    track, other = (joined(values(100, seed=n), silence) for n in (1, 2))
    assert common_passage(track, other) is None
    assert SILENT_VALUE not in index_codes(track)


def test_silence_does_not_lengthen_a_passage() -> None:
    passage = joined(values(30, seed=3), np.full(100, SILENT_VALUE, np.uint32))
    track, other = (joined(values(100, seed=n), passage, values(100, seed=n + 5)) for n in (1, 2))
    assert common_passage(track, other) is None


def test_a_held_chord_is_no_common_recording() -> None:
    chord = np.full(100, 0x1234_5678, np.uint32)
    track, other = (joined(values(100, seed=n), chord) for n in (1, 2))
    assert common_passage(track, other) is None
    assert common_passage(chord, chord) is None


def test_bits_that_are_nearly_always_equal_are_evidence_of_nothing() -> None:
    """Drum loops have no pitch, so most bits of their fingerprints are always the same."""
    loops = [noisy(np.full(120, 0x1155_557B, np.uint32), 0.05, seed=seed) for seed in (1, 2)]
    equal = 1 - np.bitwise_count(loops[0] ^ loops[1]).mean() / 32
    assert equal > 0.88
    assert common_passage(*loops) is None


@pytest.mark.parametrize(("count", "is_found"), [(45, False), (120, True)])
def test_a_short_passage_needs_more_agreement(count: int, is_found: bool) -> None:
    """Two performances of a slow tune can agree as well as a bad copy, but not for long."""
    clean = values(count, seed=1)
    similar = np.where(np.arange(count) % 2 == 0, clean, noisy(clean, 0.27))
    track = joined(values(100, seed=2), clean, values(100, seed=3))
    other = joined(values(30, seed=4), similar, values(30, seed=5))
    found = common_passage(track, other)
    assert (found is not None) == is_found


def test_the_codes_of_a_cut_are_codes_of_the_track() -> None:
    track = values(4000, seed=1)
    codes = index_codes(track)
    assert len(codes) == pytest.approx(1000, abs=100)
    cut = set(index_codes(track[1000:3000]))
    assert cut == set(codes) & set(track[1000:3000].view(np.int32).tolist())
    short = set(index_codes(track[1000:1100]))
    assert short == set(track[1000:1100].view(np.int32).tolist())
