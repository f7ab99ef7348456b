"""CLAP similarity: the cosine similarity between two tracks' stored CLAP vectors.

A match is compared with the complete target, and a clip with the excerpt of the target.

The similarity is computed for every encoder's matches, so it can be used to compare encoders. Its
range is −1 … 1; higher means more similar. Similarities from different checkpoints are not
comparable. The vectors are computed from fixed windows of ten seconds, so a pair always has the
same similarity. The usual library call takes a random crop, so its result changes between calls.
The similarity is undefined if a track has no CLAP vector, for example because it is silent. The
reason is then the one in the failure ledger.

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
"""Import name of the CLAP library. Every encoder that needs this library is a CLAP encoder."""
