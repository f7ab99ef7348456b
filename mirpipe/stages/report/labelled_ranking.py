"""The relevance of a query set's rankings, by label."""

from dataclasses import dataclass

from mirpipe.stages.report.filtered_relevance import FilteredRelevance


@dataclass(frozen=True)
class LabelledRanking:
    """The relevance of a query set's rankings, by label."""

    queries: str
    """Name of the query set: `targets` or `references`."""
    rerank: str
    """Order of the rankings: `cosine`, `csls` or `fusion`."""
    found: FilteredRelevance
    """Relevance by label, and what was left out."""
