"""Aligned melody similarity: how much of the shorter track also occurs in the longer track.

The two tracks may be in any keys, and one may be up to twice as fast as the other. A passage counts
wherever it occurs in the other track. The range is 0 … 1; higher means more similar, and the same
notes in the same order give 1. The similarity is symmetric. It is undefined if a track has no notes
(reason `unpitched`) or fewer than 8 notes (reason `too_few_notes`).

The computation has four steps:

1. Each track is converted to one pitch class vector (chroma) per eighth of a second. The vector
   contains the velocities of the sounding notes and is normalised to length 1. Rests are left out.
2. One track is transposed by each of the two best transpositions (`optimal_transposition.py`).
3. Two frames, one of each track, match if the cosine similarity between them is at least 0.8.
4. Qmax is the length of the longest path through matching frames. In each step, each track advances
   by one or two frames. A frame without a match costs half a frame. The similarity is the greater
   Qmax of the two transpositions, divided by the number of frames of the shorter track.

Source: Serrà, Serra and Andrzejak 2009, Cross recurrence quantification for cover song
identification, New Journal of Physics 11, 093017. Their measure is a distance that is normalised by
the reference's length only and uses nearest-neighbour thresholds. `librosa.sequence.rqa` with
knight moves finds the same path, but it is not used because it processes one matrix at a time, cell
by cell. This module computes all cells of a row together, because they do not depend on each other.

Among the transcriptions of the demo library's 37 voiced tracks, nine of ten unrelated pairs have a
similarity of 0.03 … 0.28, and none has more than 0.47. Pairs of the same piece have 0.30 … 0.95,
with a median of 0.72. The same music in another key, tempo or instrument is at rank 1 in 15 of 15
cases; ranked by melody accuracy, it is at rank 1 in 2 of 15 cases (`test_aligned_melody_demo.py`).
The metric does not find a melody that has chords in only one of the tracks, because complete frames
must match. It also does not find music at less than half or more than double the tempo.
"""

from collections import defaultdict
from collections.abc import Sequence
from operator import attrgetter

import numpy as np
from more_itertools import chunked

from mirpipe.music.features.melody_pitch_classes import PITCH_CLASSES
from mirpipe.music.metrics.optimal_transposition import best_transpositions
from mirpipe.records import Bool, Float64, Note, Score
from mirpipe.specs import MetricSpec

ALIGNED = MetricSpec(
    name="aligned_melody",
    version=2,
    unit="share of the shorter track",
    low=0.0,
    high=1.0,
    higher_is_better=True,
    citation="Serrà et al. 2009, New J. Phys. 11, 093017",
    compares="notes",
)

MIN_NOTES = 8
"""Smallest number of notes for which the similarity is defined."""
FRAMES_PER_SECOND = 8
MAX_FRAMES = 300 * FRAMES_PER_SECOND
"""Largest number of frames compared, from the start. Two such tracks take 0.1 s and 150 MB."""
TRANSPOSITIONS = 2
"""Number of transpositions that are tried."""
MATCHING_COSINE = 0.8
"""Smallest cosine similarity of matching frames. For a note and a two-note chord, it is 0.71."""
GAP_COST = 0.5
"""Cost of a frame without a match, in frames."""
_MATCH = round(1 / GAP_COST)
"""Gain of a match in units of GAP_COST. A frame without a match costs 1."""
_BORDER = np.iinfo(np.int16).min // 2
_BATCH_CELLS = 1 << 20
"""Number of pairs of frames that are compared together, so that a row fits in the CPU cache."""

_velocity = attrgetter("velocity")


def similarity(target: Sequence[Note], reference: Sequence[Note]) -> Score:
    """Return the aligned similarity of two tracks' notes."""
    return compare_chroma([(note_chroma(target), note_chroma(reference))])[0]


def note_chroma(notes: Sequence[Note]) -> Float64 | str:
    """Return a track's chroma, shape (frames, 12), float64, or the reason why it has none."""
    if not notes:
        return "unpitched"
    return "too_few_notes" if len(notes) < MIN_NOTES else _chroma(notes)


def compare_chroma(pairs: Sequence[tuple[Float64 | str, Float64 | str]]) -> list[Score]:
    """Return the aligned similarity of each pair of `note_chroma` results.

    Many pairs are compared together. A pair of two tracks of 15 s takes 0.1 ms.
    """
    scores: dict[int, Score] = {}
    sizes: defaultdict[int, list[tuple[int, Float64, Float64]]] = defaultdict(list)
    for index, (target, reference) in enumerate(pairs):
        if isinstance(target, str) or isinstance(reference, str):
            reasons = [side for side in (target, reference) if isinstance(side, str)]
            scores[index] = Score(None, max(reasons))  # `unpitched` is the more important reason.
            continue
        # Rounding and ties depend on which track is transposed. Sorting keeps the score symmetric.
        shorter, longer = sorted(
            (target, reference), key=lambda chroma: (len(chroma), chroma.tobytes())
        )
        sizes[len(longer).bit_length()].append((index, shorter, longer))
    for bits, same_size in sizes.items():
        for batch in chunked(same_size, max(_BATCH_CELLS >> 2 * bits, 1)):
            paths = _longest_paths([_matches(shorter, longer) for _, shorter, longer in batch])
            for (index, shorter, _), path in zip(batch, paths, strict=True):
                scores[index] = Score(path / len(shorter))
    return [scores[index] for index in range(len(pairs))]


def _chroma(notes: Sequence[Note]) -> Float64:
    """Return one unit vector for each frame that has sounding notes, shape (frames, 12)."""
    start = min(note.onset_seconds for note in notes)
    frames = round((max(note.offset_seconds for note in notes) - start) * FRAMES_PER_SECOND) + 1
    chroma = np.zeros((frames, 12))
    for note in sorted(notes, key=_velocity):  # The loudest note of a pitch class counts.
        first = round((note.onset_seconds - start) * FRAMES_PER_SECOND)
        last = max(first + 1, round((note.offset_seconds - start) * FRAMES_PER_SECOND))
        chroma[first:last, note.pitch % 12] = max(note.velocity, 0.01)
    chroma = chroma[chroma.any(axis=1)][:MAX_FRAMES]
    chroma /= np.linalg.norm(chroma, axis=1, keepdims=True)
    return chroma


def _matches(shorter: Float64, longer: Float64) -> Bool:
    """Return which frames match, shape (frames of the shorter, transpositions, of the longer)."""
    best = best_transpositions(shorter, longer, count=TRANSPOSITIONS)
    transposed = np.stack([np.roll(shorter, by, axis=1) for by in best], axis=1)
    cosines = transposed.reshape(-1, PITCH_CLASSES) @ longer.T
    return (cosines >= MATCHING_COSINE).reshape(len(shorter), -1, len(longer))


def _longest_paths(matches: Sequence[Bool]) -> list[float]:
    """Return the greatest Qmax of each pair, in frames.

    The matrices of a pair have the shape (frames, transpositions, frames of the other track). All
    pairs are processed together, row by row, so the rows of all matrices are joined to one row.
    Numbers are in units of GAP_COST, so they are integers.
    """
    matrices = [pair.shape[1] for pair in matches]
    frames = max(len(pair) for pair in matches)
    width = max(pair.shape[2] for pair in matches) + 2
    # No path crosses the border, which includes two columns before the first frame.
    steps = np.full((frames, sum(matrices), width), _BORDER, np.int16)
    stops = np.cumsum(matrices)
    for pair, stop in zip(matches, stops, strict=True):
        step = steps[: len(pair), stop - pair.shape[1] : stop, 2 : 2 + pair.shape[2]]
        np.multiply(pair, _MATCH + 1, out=step, dtype=np.int16)
        step -= 1
    rows = steps.reshape(frames, -1)
    before, last = np.zeros((2, rows.shape[1]), np.int16)  # The two previous rows of Q.
    longest = np.zeros(rows.shape[1] - 2, np.int16)
    best = np.empty_like(longest)
    for row in rows:
        np.maximum(last[1:-1], last[:-2], out=best)
        np.maximum(best, before[1:-1], out=best)
        best += row[2:]
        np.maximum(best, 0, out=before[2:])
        before, last = last, before
        np.maximum(longest, best, out=longest)
    by_matrix = np.concatenate(([0, 0], longest)).reshape(-1, width).max(axis=1)
    return [float(half) for half in np.maximum.reduceat(by_matrix, stops - matrices) * GAP_COST]
