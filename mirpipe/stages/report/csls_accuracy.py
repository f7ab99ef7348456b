"""Measures how accurate the re-ranking by CSLS is, compared with a full computation of CSLS.

Two approximations are checked. First, only the nearest references of a target are re-ranked.
Second, in a large library, the local scaling r is computed on only some of the references, which
are called the base.
"""

import numpy as np

from mirpipe.db.store import neighbour_lists
from mirpipe.db.store.run_csls import CslsRow
from mirpipe.stages.report.csls_reranking import Reranking
from mirpipe.stages.report.full_rankings import RankedLibrary
from mirpipe.statistics.csls import (
    Agreement,
    K,
    agreement_with_full,
    compare_rankings,
    csls,
    rerank_order,
)
from mirpipe.statistics.exact_top_k import top_k

MAX_REFERENCES = 1 << 12
"""Largest number of references in the full computation.

In a larger library, the references with the lowest content hashes are used.
"""
MAX_TARGETS = 1_000
"""Largest number of targets in the full computation.

If there are more targets, those with the lowest content hashes are used.
"""
BASE_TARGETS = 20
"""Number of targets for which r is also computed on all references."""


def csls_accuracy(library: RankedLibrary, targets: Reranking, base_n: int) -> CslsRow:
    """Return how well the re-ranking agrees with a CSLS ranking of all references.

    `base_n` is the number of references in the base. In a large library, the comparison uses a
    sample of targets and references.
    """
    ids, by_cosine = library.references.track_ids, targets.by_cosine
    references_n = min(len(ids), MAX_REFERENCES)
    targets_n = min(len(by_cosine.track_ids), MAX_TARGETS)
    own = by_cosine.own[:targets_n]
    agreement = agreement_with_full(
        by_cosine.vectors.rows(slice(targets_n)),
        library.references.rows(slice(references_n)),
        own=np.where(own < references_n, own, -1),
        kept=neighbour_lists.MAX_ENTRIES,
    )
    base = _agreement_of_base(library, targets) if base_n < len(ids) else None
    return CslsRow(
        library.encoder_id,
        neighbour_lists.MAX_ENTRIES,
        K,
        base_n,
        targets_n,
        references_n,
        references_n < len(ids) or targets_n < len(by_cosine.track_ids),
        agreement.top1_equal,
        agreement.top10_overlap,
        None if base is None else min(BASE_TARGETS, len(by_cosine.track_ids)),
        None if base is None else base.top1_equal,
        None if base is None else base.top10_overlap,
    )


def _agreement_of_base(library: RankedLibrary, targets: Reranking) -> Agreement:
    """Return how well the re-ranking agrees with one whose r is computed on all references.

    Only the first BASE_TARGETS targets are compared. The r of a target does not affect its ranking,
    because it is the same for all references.
    """
    places = targets.by_cosine.places[:BASE_TARGETS]
    candidates = np.unique(places[places >= 0])
    vectors = library.references.rows(candidates)
    nearest = top_k(vectors, library.references.blocks(), K, own=candidates)
    reference_r = np.full(len(library.references.track_ids) + 1, np.nan)
    sums = np.bincount(nearest.target, nearest.cosine, minlength=len(candidates))
    reference_r[candidates] = sums / np.bincount(nearest.target, minlength=len(candidates))
    cosines = targets.by_cosine.cosines[:BASE_TARGETS]
    order = rerank_order(csls(cosines, np.zeros(len(places)), reference_r[places]), places)
    return compare_rankings(
        np.take_along_axis(places, order, axis=1), targets.places[:BASE_TARGETS]
    )
