"""CLAP text score: how well generated audio matches the caption that it was generated from.

The score is the cosine similarity between the caption's CLAP text vector and the clip's CLAP audio
vector, −1 … 1; higher is better. Unlike the similarity to the target, the score shows whether the
music is what the text describes. Scores from different checkpoints are not comparable. The audio
vector is the stored one: the length-weighted mean over fixed windows, normalised to length 1.

Sources: the joint embedding space is from Wu et al. 2023 (arXiv 2211.06687). The same CLAP score is
used to compare text-to-music models (Copet et al. 2023, arXiv 2306.05284).
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

_LENGTH_TOLERANCE = 1e-3
"""Largest accepted deviation of a vector's length from 1. Unnormalised vectors deviate more."""


def text_score(caption: Float32, clip: Float32) -> float:
    """Return the cosine similarity between two unit vectors, −1 … 1.

    Both vectors have the shape (dimension,) and the dtype float32. The cosine is computed in
    float64. Raises ValueError if the shapes differ, or if a vector's length is not 1, because the
    score would depend on the length.
    """
    if caption.ndim != 1 or caption.shape != clip.shape:
        raise ValueError(
            f"cannot compare vectors of shapes {caption.shape} and {clip.shape}: they must be equal"
        )
    text, audio = (np.asarray(vector, dtype=np.float64) for vector in (caption, clip))
    for name, vector in (("caption", text), ("clip", audio)):
        length = float(np.linalg.norm(vector))
        if not abs(length - 1) <= _LENGTH_TOLERANCE:
            raise ValueError(f"the vector of the {name} has length {length:.4f}: normalise it to 1")
    return float(np.clip(text @ audio, -1, 1))
