"""Fuses the matches of all encoders into one ranking per target by reciprocal rank fusion."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection

from mirpipe.db.store import neighbour_lists
from mirpipe.db.store.active_revisions import ActiveEncoder
from mirpipe.db.store.run_csls_and_fusion_matches import Matches, insert_matches
from mirpipe.db.store.run_label_rankings import insert_rankings
from mirpipe.db.store.searchable_tracks import References
from mirpipe.db.store.track_labels import read_hashes_and_labels
from mirpipe.records import Float64, Int64
from mirpipe.stages.report.encoder_agreement import EncoderMatches
from mirpipe.stages.report.matches_with_same_label import (
    LabelledRanking,
    relevance_of_first_matches,
)
from mirpipe.stages.report.precision_by_label import precision_rows
from mirpipe.statistics.reciprocal_rank_fusion import fuse_rankings


@dataclass(frozen=True)
class FusedMatches:
    """The best fused matches of n targets, padded with -1."""

    target_ids: Int64
    """Track ids of the targets, shape (n,)."""
    places: Int64
    """Indices of the references, best first, shape (n, SHOWN_MATCHES)."""
    scores: Float64
    """Fusion scores, shape (n, SHOWN_MATCHES). NaN if there is no match."""


def insert_fused_matches(
    connection: Connection, run_id: int, matches: Mapping[ActiveEncoder, EncoderMatches]
) -> None:
    """Store the fused matches of each target, and the P@k of the fused rankings by label.

    Encoders with random weights are left out. Nothing is stored if fewer than two encoders remain.
    """
    fused_encoders = [
        encoder_matches for encoder, encoder_matches in matches.items() if not encoder.random
    ]
    if len(fused_encoders) < 2:
        return
    reference_ids = np.unique(
        np.concatenate([encoder_matches.reference_ids for encoder_matches in fused_encoders])
    )
    references = read_hashes_and_labels(connection, reference_ids)
    by_hash = np.argsort(references.hashes)
    library = References(reference_ids[by_hash], references.hashes[by_hash])
    fused = _fuse(fused_encoders, library.track_ids)
    row, column = np.nonzero(fused.places >= 0)
    insert_matches(
        connection,
        run_id,
        "fusion",
        None,
        Matches(
            fused.target_ids[row],
            column + 1,
            library.track_ids[fused.places[row, column]],
            fused.scores[row, column],
        ),
    )
    targets = read_hashes_and_labels(connection, fused.target_ids)
    reference_labels = {
        label: [values[index] for index in by_hash] for label, values in references.labels.items()
    }
    relevance = relevance_of_first_matches(
        fused.places, library.places_of(targets.hashes), reference_labels, targets.labels
    )
    ranking = LabelledRanking("targets", "fusion", relevance)
    insert_rankings(connection, run_id, list(precision_rows(None, [ranking], only_precision=True)))


def _fuse(encoders: Collection[EncoderMatches], reference_ids: Int64) -> FusedMatches:
    """Return the fused matches of all targets.

    `reference_ids`, shape (references,), are the ids of all references in the order of their
    content hashes. References with equal scores are also ranked in that order.
    """
    target_ids = np.unique(np.concatenate([encoder.target_ids for encoder in encoders]))
    by_id = np.argsort(reference_ids)
    places = np.full((len(target_ids), neighbour_lists.SHOWN_MATCHES), -1)
    scores = np.full(places.shape, np.nan)
    rows_by_target = [
        dict(zip(encoder.target_ids.tolist(), encoder.matches, strict=True)) for encoder in encoders
    ]
    for index, target in enumerate(target_ids.tolist()):
        rows = [by_target[target] for by_target in rows_by_target if target in by_target]
        fused_places, fused_scores = fuse_rankings(
            [by_id[np.searchsorted(reference_ids, row[row >= 0], sorter=by_id)] for row in rows]
        )
        n = min(len(fused_places), neighbour_lists.SHOWN_MATCHES)
        places[index, :n], scores[index, :n] = fused_places[:n], fused_scores[:n]
    return FusedMatches(target_ids, places, scores)
