"""The scales on which the page shows similarity: z, percentile and cosine."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SimilarityScale:
    """A way to express similarity: field of the query's rows, decimals, and title."""

    field: str
    decimals: int
    title: str


SCALES = {
    "z": SimilarityScale("z", 2, "z (sd above the mean)"),
    "percentile": SimilarityScale("percentile", 1, "percentile of all reference pairs"),
    "cosine": SimilarityScale("cosine", 3, "cosine (each encoder has its own space)"),
}
