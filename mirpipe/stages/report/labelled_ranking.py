"""The relevance of a query set's rankings, by label."""

from collections.abc import Mapping
from dataclasses import dataclass

from mirpipe.statistics.label_relevance import Relevance


@dataclass(frozen=True)
class LabelledRanking:
    """The relevance of a query set's rankings, by label."""

    queries: str
    """Name of the query set: `targets` or `references`."""
    rerank: str
    """Order of the rankings: `cosine`, `csls` or `fusion`."""
    relevance: Mapping[str, Relevance]
    """Relevance by label."""
