"""CLAP similarity: the cosine of the stored CLAP vectors of two tracks.

It is computed for the matches of every encoder, so it allows a comparison of encoders. The range is
−1 … 1, higher is more similar. Similarities of different checkpoints are not comparable. The
vectors come from fixed windows of ten seconds, so a pair always has the same similarity. The usual
library call takes a random crop, and its result changes. The similarity is undefined if a track has
no CLAP vector, such as silence. The reason is that of the failure ledger.

The cosines are computed by `mirpipe/db/store/pair_scores.py`. Source: Wu et al. 2023 (arXiv
2211.06687).
"""

from mirpipe.specs import MetricSpec

CLAP_SIMILARITY = MetricSpec(
    name="clap_similarity",
    version=1,
    unit="cosine",
    low=-1.0,
    high=1.0,
    higher_is_better=True,
    citation="Wu et al. 2023, arXiv 2211.06687",
    compares="vectors",
)

CLAP_LIBRARY = "laion_clap"
"""Import name of the CLAP library. Every encoder that needs it is a CLAP encoder."""
