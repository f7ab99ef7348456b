"""The nearest references of one encoder put in order by CSLS, as far as it can be afforded."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection

from mirpipe.db.store import neighbour_lists, run_rankings
from mirpipe.db.store.reference_vectors import vectors
from mirpipe.records import Float64, Int64
from mirpipe.stages.report.full_rankings import Library, Lists
from mirpipe.statistics.csls import (
    Agreement,
    K,
    agreement_with_full,
    compared,
    csls,
    local_scale,
    reranked,
)
from mirpipe.statistics.exact_top_k import top_k

PAIRS = 1 << 28
"""Cosines that the neighbourhoods may cost: seconds. A larger library gives so many references,
by content hash, among which a neighbourhood is looked for."""
FEWEST_BASE = 1_000
LARGEST_BASE = 1 << 14
FULL_REFERENCES = 1 << 12
"""References, by content hash, among which re-ranking is compared with a full computation."""
FULL_TARGETS = 1_000
BASE_TARGETS = 20
"""Targets, by content hash, whose neighbourhoods are looked for among all references, too."""
_AT_ONCE = 1 << 14
"""Candidates whose vectors are in memory at once."""


@dataclass(frozen=True)
class Reranked:
    """Lists in the order of CSLS, beside those by cosine."""

    lists: Lists
    order: Int64
    """Shape (n, K): columns of `lists`, best first."""
    scores: Float64
    """Shape (n, K), in the columns of `lists`."""

    @property
    def places(self) -> Int64:
        """The references, best first; -1 behind the last."""
        return np.take_along_axis(self.lists.places, self.order, axis=1)


def rerank(
    connection: Connection, library: Library, sets: Sequence[Lists]
) -> tuple[list[Reranked], int]:
    """Each of `sets` by CSLS, and among how many references neighbourhoods were looked for."""
    count = len(library.references.track_ids)
    candidates = np.unique(np.concatenate([one.places.ravel() for one in sets]))
    candidates = candidates[candidates >= 0]
    wanted = len(candidates) + sum(len(one.track_ids) for one in sets)
    base_n = min(count, LARGEST_BASE, max(FEWEST_BASE, PAIRS // wanted))
    scale = np.full(count + 1, np.nan)  # the last is for -1: nobody
    ids = library.references.track_ids[candidates]
    scale[candidates] = _scales(connection, library, ids, candidates, base_n)
    found = []
    for one in sets:
        own = _scales(connection, library, one.track_ids, one.own, base_n)
        scores = csls(one.cosines, own, scale[one.places])
        found.append(Reranked(one, reranked(scores, one.places), scores))
    return found, base_n


def agreement(
    connection: Connection, library: Library, targets: Reranked, base_n: int
) -> run_rankings.Csls:
    """How far this re-ranking gives what a full computation gives, where that can be afforded."""
    ids, lists = library.references.track_ids, targets.lists
    references_n = min(len(ids), FULL_REFERENCES)
    targets_n = min(len(lists.track_ids), FULL_TARGETS)
    own = lists.own[:targets_n]
    found = agreement_with_full(
        vectors(connection, library.encoder_id, lists.track_ids[:targets_n]),
        vectors(connection, library.encoder_id, ids[:references_n]),
        own=np.where(own < references_n, own, -1),
        kept=neighbour_lists.KEPT,
    )
    base = _of_base(connection, library, targets) if base_n < len(ids) else None
    return run_rankings.Csls(
        library.encoder_id,
        neighbour_lists.KEPT,
        K,
        base_n,
        targets_n,
        references_n,
        references_n < len(ids) or targets_n < len(lists.track_ids),
        found.top1_equal,
        found.top10_overlap,
        None if base is None else min(BASE_TARGETS, len(lists.track_ids)),
        None if base is None else base.top1_equal,
        None if base is None else base.top10_overlap,
    )


def _of_base(connection: Connection, library: Library, targets: Reranked) -> Agreement:
    """How far neighbourhoods among some references give the answers of those among all."""
    places = targets.lists.places[:BASE_TARGETS]
    candidates = np.unique(places[places >= 0])
    block = vectors(connection, library.encoder_id, library.references.track_ids[candidates])
    best = top_k(block, library.references.blocks(), K, own=candidates)
    scale = np.full(len(library.references.track_ids) + 1, np.nan)
    sums = np.bincount(best.target, best.cosine, minlength=len(candidates))
    scale[candidates] = sums / np.bincount(best.target, minlength=len(candidates))
    cosines = targets.lists.cosines[:BASE_TARGETS]
    order = reranked(csls(cosines, np.zeros(len(places)), scale[places]), places)
    return compared(np.take_along_axis(places, order, axis=1), targets.places[:BASE_TARGETS])


def _scales(
    connection: Connection, library: Library, track_ids: Int64, own: Int64, base_n: int
) -> Float64:
    """r of each track over the first references; `own` are the places of the tracks there."""
    base = vectors(connection, library.encoder_id, library.references.track_ids[:base_n])
    mine = np.where(own < base_n, own, -1)
    found = np.empty(len(track_ids))
    for start in range(0, len(track_ids), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        block = vectors(connection, library.encoder_id, track_ids[part])
        found[part] = local_scale(block, base, own=mine[part])
    return found
