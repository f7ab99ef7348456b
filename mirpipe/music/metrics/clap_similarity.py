"""CLAP similarity: how near two tracks' stored CLAP vectors are, whichever encoder found them.

The cosine of the vectors of one checkpoint: -1 … 1, higher is closer. Those of two checkpoints are
not comparable. The vectors are the stored ones, of fixed windows of ten seconds: the same pair
gives the same number, which the common library call, at a random crop, does not. Undefined, with
the ledger's reason, where no vector can be made of a side, such as silence.

Source: Wu et al. 2023 (arXiv 2211.06687).
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

LIBRARY = "laion_clap"
"""An encoder that needs it is a CLAP."""
