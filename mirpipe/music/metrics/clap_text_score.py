"""CLAP text score: how near generated audio is to the words it was made from.

The cosine of the caption's CLAP text vector and the clip's CLAP audio vector, of one checkpoint:
-1 … 1, higher is closer. This, and not the similarity to the target, says whether the music is
what the words asked for. Cosines of two checkpoints are not comparable. The audio vector is the
stored one: fixed windows, their mean weighted by length, L2.

Source: the joint space of Wu et al. 2023 (arXiv 2211.06687), its CLAP score of text and audio as
text-to-music models are compared by (Copet et al. 2023, arXiv 2306.05284).
"""

import numpy as np

from mirpipe.records import Float32
from mirpipe.specs import MetricSpec

TEXT_SCORE = MetricSpec(
    name="clap_text_score",
    version=1,
    unit="cosine",
    low=-1.0,
    high=1.0,
    higher_is_better=True,
    citation="Wu et al. 2023, arXiv 2211.06687",
    compares="caption",
)

_UNIT_TOLERANCE = 1e-3
"""A stored float32 vector's norm is nearer to 1 than this; a pooled one's before L2 is not."""


def text_score(caption: Float32, clip: Float32) -> float:
    """The cosine of two unit vectors of shape (dimension,), computed in float64, in -1 … 1.

    Raises ValueError where they are not of one dimension, or one is not of length 1: then it was
    never normalised, and the score would measure its length too.
    """
    if caption.ndim != 1 or caption.shape != clip.shape:
        raise ValueError(f"vectors of shapes {caption.shape} and {clip.shape} have no cosine")
    text, audio = (np.asarray(vector, dtype=np.float64) for vector in (caption, clip))
    for name, vector in (("caption", text), ("clip", audio)):
        norm = float(np.linalg.norm(vector))
        if not abs(norm - 1) <= _UNIT_TOLERANCE:
            raise ValueError(f"the {name}'s vector is of length {norm:.4f}, not 1")
    return float(np.clip(text @ audio, -1, 1))
