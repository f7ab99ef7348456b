"""Facts about music that learned weights should satisfy and random weights need not.

They are reported without a verdict: nothing on this machine tells how often a good model fails one
of them.
"""

from dataclasses import dataclass

import numpy as np

from mirpipe.operations.model_check.demo_clips import CLIPS, MELODIES, NOISE, TEXTS
from mirpipe.records import Float64

SAME_CLIP = 0.9
"""Two clips with at least this cosine differ in details only."""

ENJOYMENT = "aesthetics_ce"
"""Name of the axis content enjoyment of Audiobox Aesthetics."""


@dataclass(frozen=True)
class Fact:
    """A statement about music, and whether it holds for a model's numbers."""

    statement: str
    holds: bool


def facts_of_vectors(rows: Float64, texts: Float64 | None) -> list[Fact]:
    """Return the facts about an encoder.

    `rows` has one vector per clip of CLIPS, and `texts` one per text of TEXTS. `texts` is None if
    the encoder does not embed text.
    """
    clips = dict(zip(CLIPS, _unit(rows), strict=True))
    to_drums, to_flute = (float(clips["drums"] @ clips[name]) for name in ("other drums", "flute"))
    facts = [
        Fact(
            f"a drum loop is nearer to another drum loop ({to_drums:.3f}) than to a flute "
            f"({to_flute:.3f})",
            to_drums > to_flute,
        )
    ]
    if texts is not None:
        [cosines] = _unit(texts) @ _unit(rows).T
        nearest = CLIPS[int(cosines.argmax())]
        facts.append(Fact(f"the text {TEXTS[0]!r} is nearest to: {nearest}", nearest == "piano"))
    return facts


def facts_of_scores(rows: Float64, axes: tuple[str, ...]) -> list[Fact]:
    """Return the facts about a model that scores tracks: one row per clip, one column per axis."""
    if ENJOYMENT not in axes:
        return []
    scores = dict(zip(CLIPS, rows[:, axes.index(ENJOYMENT)].tolist(), strict=True))
    noise = scores.pop(NOISE)
    lowest = min(scores.values())
    return [
        Fact(
            f"noise has a lower content enjoyment ({noise:.2f}) than all music "
            f"(at least {lowest:.2f})",
            noise < lowest,
        )
    ]


def facts_of_clips(rows: Float64) -> list[Fact]:
    """Return the facts about a generator: one row of samples per request of the check."""
    first, second = _unit(rows[: len(MELODIES)])
    cosine = float(first @ second)
    return [
        Fact(
            f"with the same caption, the melody of a {MELODIES[1]} gives another clip than that of "
            f"a {MELODIES[0]} (cosine {cosine:.3f})",
            cosine < SAME_CLIP,
        )
    ]


def _unit(rows: Float64) -> Float64:
    """Return the rows divided by their lengths."""
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))
