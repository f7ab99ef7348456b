"""Computes how well the matches of two encoders agree.

The measures are rank-biased overlap (RBO), and how often both encoders have the same best match.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from mirpipe.db.store.active_revisions import ActiveEncoder
from mirpipe.db.store.run_agreement import AgreementRow, insert_agreement
from mirpipe.db.store.track_vectors import TrackVectors
from mirpipe.records import Int64
from mirpipe.statistics.rank_biased_overlap import rank_biased_overlap


@dataclass(frozen=True)
class EncoderMatches:
    """The matches of one encoder for n targets."""

    targets: TrackVectors
    """The n targets."""
    matches: Int64
    """Track ids of the matches, best first, padded with -1. Shape (n, K)."""
    references: TrackVectors
    """All references that the encoder searches, in the order of their content hashes."""
    hashes: NDArray[np.bytes_]
    """Content hashes of these references, ascending, shape (references,)."""


def insert_agreement_of_encoders(
    connection: Connection, run_id: int, matches: Mapping[ActiveEncoder, EncoderMatches]
) -> None:
    """Store how well each pair of encoders agrees on the targets for which both have matches.

    Each pair is stored twice, once in each order.
    """
    rows = [
        _agreement(first, matches[first], second, matches[second])
        for first, second in permutations(matches, 2)
    ]
    insert_agreement(connection, run_id, [row for row in rows if row is not None])


def _agreement(
    first: ActiveEncoder,
    first_matches: EncoderMatches,
    second: ActiveEncoder,
    second_matches: EncoderMatches,
) -> AgreementRow | None:
    """Return the agreement of two encoders, or None if no target has matches by both encoders."""
    _, first_rows, second_rows = np.intersect1d(
        first_matches.targets.track_ids, second_matches.targets.track_ids, return_indices=True
    )
    first_lists = first_matches.matches[first_rows]
    second_lists = second_matches.matches[second_rows]
    both_have_matches = (first_lists[:, 0] >= 0) & (second_lists[:, 0] >= 0)
    if not both_have_matches.any():
        return None
    first_lists, second_lists = first_lists[both_have_matches], second_lists[both_have_matches]
    return AgreementRow(
        first.encoder_id,
        second.encoder_id,
        float(rank_biased_overlap(first_lists, second_lists).mean()),
        float((first_lists[:, 0] == second_lists[:, 0]).mean()),
        len(first_lists),
    )
