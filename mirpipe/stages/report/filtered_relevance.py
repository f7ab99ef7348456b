"""The relevance of rankings after references have been left out, for each filter."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mirpipe.records import Bool, Int64
from mirpipe.stages.report.left_out_references import LeftOut
from mirpipe.statistics.label_relevance import LabelSets, Relevance, concatenate, find_relevant
from mirpipe.statistics.left_out_ranks import left_out_ranks


@dataclass(frozen=True)
class FilteredRelevance:
    """The relevance of the rankings of n queries, without what one filter leaves out."""

    filter: str
    """Name of the filter: `none`, `album` or `artist`."""
    is_filtered: Bool | None
    """Whether each query has the filter's tag, shape (n,). None without a filter."""
    same_recording_n: int
    """Number of same recordings that are left out of all rankings together."""
    relevance: Mapping[str, Relevance]
    """Relevance by label."""


class RelevanceByFilter:
    """Collects the relevance of rankings that are computed block by block."""

    def __init__(
        self,
        reference_labels: Mapping[str, LabelSets],
        query_labels: Mapping[str, LabelSets],
        left_out: Sequence[LeftOut],
    ) -> None:
        """Take the label sets of all references and queries, and what each filter leaves out.

        The first item of `left_out` leaves out the same recordings alone.
        """
        self._reference_labels = reference_labels
        self._query_labels = query_labels
        self._left_out = left_out
        self._relevance: dict[str, list[list[Relevance]]] = {label: [] for label in query_labels}
        self._ranked_queries = 0
        self.same_recordings: dict[int, Int64] = {}
        """Ranks of the same recordings, from 0, by index of the query."""

    def add(self, places: Int64, ranked_n: Int64, *, kept: int) -> None:
        """Add the rankings of the next queries. The arguments are those of `find_relevant`."""
        first = self._ranked_queries
        rows = slice(first, first + len(places))
        self._ranked_queries = rows.stop
        ranks = [left_out_ranks(places, ranked_n, each.places[rows]) for each in self._left_out]
        self.same_recordings |= {first + row: found for row, found in ranks[0].items()}
        for label, parts in self._relevance.items():
            found = find_relevant(
                places,
                ranked_n,
                self._reference_labels[label],
                self._query_labels[label][rows],
                kept=kept,
                left_out=ranks,
            )
            parts.append(found)

    def result(self) -> list[FilteredRelevance]:
        """Return the relevance of all rankings that were added, for each filter."""
        same_recording_n = sum(map(len, self.same_recordings.values()))
        return [
            FilteredRelevance(
                each.filter,
                each.is_filtered,
                same_recording_n,
                {
                    label: concatenate([part[index] for part in parts])
                    for label, parts in self._relevance.items()
                },
            )
            for index, each in enumerate(self._left_out)
        ]
