"""Relevance by label: which references of a ranking share a label value with the query.

A track can have several values of a label, such as two genres. A reference is relevant to a query
if they share at least one value.

`precision_mrr_map` computes P@k, MRR and mAP from it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mirpipe.records import Bool, Float64, Int32, Int64
from mirpipe.statistics.left_out_ranks import LeftOutRanks, moved_up

UNLABELLED = -1
"""Code of a track without the label. Such a track is not relevant to any query."""


@dataclass(frozen=True)
class Relevance:
    """The relevant references in the rankings of n queries.

    Only the first K ranks are stored one by one. The lower ranks are summarised, because a ranking
    contains the whole library.
    """

    head: Bool
    """Whether the reference at each of the first K ranks is relevant, shape (n, K)."""
    below: Float64
    """Sum of the precisions at all relevant ranks below K, shape (n,)."""
    first_below: Float64
    """First relevant rank below K, shape (n,). Infinite if there is no such rank."""
    total: Int64
    """Number of relevant references, shape (n,)."""

    @classmethod
    def of_unlabelled(cls, n: int, depth: int) -> "Relevance":
        """Return the relevance of n queries without the label: no reference is relevant."""
        return cls(
            np.zeros((n, depth), bool), np.zeros(n), np.full(n, np.inf), np.zeros(n, np.int64)
        )

    def reordered(self, order: Int64) -> "Relevance":
        """Return the relevance after the first K ranks have been reordered.

        `order`, shape (n, K), contains the indices of the old ranks in the new order. The values
        for the lower ranks stay correct, because they depend only on how many of the first K
        references are relevant.
        """
        return replace(self, head=np.take_along_axis(self.head, order, axis=1))

    @property
    def has_relevant(self) -> Bool:
        """Whether each query has a relevant reference, shape (n,). Other queries do not count."""
        return self.total > 0


@dataclass(frozen=True)
class LabelSets:
    """The set of label values that each of n tracks has. Equal sets have equal codes."""

    codes: Int32
    """Code of each track's set, shape (n,). UNLABELLED for an empty set."""
    sets: Sequence[frozenset[str]]
    """The set of each code."""
    codes_by_value: Mapping[str, Sequence[int]]
    """Codes of the sets that contain a value."""

    def __getitem__(self, rows: slice | Int64 | Sequence[int]) -> "LabelSets":
        """Return the sets of some of the tracks. The codes stay the same."""
        return replace(self, codes=self.codes[rows])

    def sharing(self, code: int) -> Bool:
        """Return which codes share a value with the set `code`, shape (codes + 1,).

        The last element, which the index UNLABELLED refers to, is False.
        """
        shares = np.zeros(len(self.sets) + 1, bool)
        if code != UNLABELLED:
            for value in self.sets[code]:
                shares[self.codes_by_value[value]] = True
        return shares


def label_sets(values: Sequence[Collection[str]]) -> LabelSets:
    """Return the label sets of tracks from the values of each track."""
    code_of: dict[frozenset[str], int] = {}
    return _label_sets(_codes(map(frozenset, values), code_of), code_of)


def shared_label_sets(
    queries: Mapping[str, Sequence[Collection[str]]],
    references: Iterable[Mapping[str, Sequence[Collection[str]]]],
) -> dict[str, tuple[LabelSets, LabelSets]]:
    """Return the sets of the references and of the queries, by label, with common codes.

    `queries` contains the values of each query, by label, and `references` yields those of blocks
    of references. Labels that no reference has are left out. Values that no query has are left out
    of the sets of the references. They make no reference relevant, and a large library has many.
    """
    shared = {label: _SharedSets(values) for label, values in queries.items()}
    for block in references:
        for label, sets in shared.items():
            sets.add(block[label])
    return {label: sets.result() for label, sets in shared.items() if sets.any_labelled}


class _SharedSets:
    """Collects the sets of references for one label, block by block."""

    def __init__(self, queries: Sequence[Collection[str]]) -> None:
        self.any_labelled = False
        self._values = frozenset[str]().union(*queries)
        self._code_of: dict[frozenset[str], int] = {}
        self._queries = _codes(map(frozenset, queries), self._code_of)
        self._references: list[Int32] = []

    def add(self, references: Sequence[Collection[str]]) -> None:
        self.any_labelled = self.any_labelled or any(references)
        sets = map(self._values.intersection, references)
        self._references.append(_codes(sets, self._code_of))

    def result(self) -> tuple[LabelSets, LabelSets]:
        sets = _label_sets(np.concatenate([self._queries, *self._references]), self._code_of)
        n = len(self._queries)
        return sets[n:], sets[:n]


def _codes(sets: Iterable[frozenset[str]], code_of: dict[frozenset[str], int]) -> Int32:
    """Return the code of each set. New sets are added to `code_of`."""
    return np.array(
        [code_of.setdefault(each, len(code_of)) if each else UNLABELLED for each in sets], np.int32
    )


def _label_sets(codes: Int32, code_of: Mapping[frozenset[str], int]) -> LabelSets:
    codes_by_value: dict[str, list[int]] = {}
    for each, code in code_of.items():
        for value in each:
            codes_by_value.setdefault(value, []).append(code)
    return LabelSets(codes, list(code_of), codes_by_value)


def find_relevant(
    places: Int64,
    ranked_n: Int64,
    references: LabelSets,
    queries: LabelSets,
    *,
    kept: int,
    left_out: Sequence[LeftOutRanks] = ({},),
) -> list[Relevance]:
    """Return which references are relevant: one by one for the first `kept` ranks.

    `places`, shape (n, count), contains the reference indices of full rankings, best first. Only
    the first `ranked_n` of each query count, shape (n,). The others are not matches, such as the
    reference with the query's own content. `references` and `queries` are the label sets of the
    count references and the n queries, with common codes. There is one result for each item of
    `left_out`: the relevance of the rankings without these ranks, so that the references below
    move up.
    """
    n, count = places.shape
    results = [Relevance.of_unlabelled(n, min(kept, count)) for _ in left_out]
    for row in np.flatnonzero(queries.codes != UNLABELLED).tolist():
        is_relevant = references.sharing(int(queries.codes[row]))
        hits = np.flatnonzero(is_relevant[references.codes[places[row, : ranked_n[row]]]])
        for relevance, ranks in zip(results, left_out, strict=True):
            without = ranks.get(row)
            _write_hits(relevance, row, hits if without is None else moved_up(hits, without))
    return results


def _write_hits(relevance: Relevance, row: int, hits: Int64) -> None:
    """Write the relevant ranks of one query, counted from 0, into its row."""
    depth = relevance.head.shape[1]
    relevance.total[row] = len(hits)
    above = np.searchsorted(hits, depth)
    relevance.head[row, hits[:above]] = True
    if above < len(hits):
        relevance.first_below[row] = hits[above] + 1
        relevance.below[row] = (np.arange(above + 1, len(hits) + 1) / (hits[above:] + 1)).sum()


def concatenate(parts: Sequence[Relevance]) -> Relevance:
    """Return one relevance with the queries of all parts, in order."""
    return Relevance(
        np.concatenate([part.head for part in parts]),
        np.concatenate([part.below for part in parts]),
        np.concatenate([part.first_below for part in parts]),
        np.concatenate([part.total for part in parts]),
    )
