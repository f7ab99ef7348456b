"""Fuses the full rankings by all encoders into one ranking per target, and stores the results.

A block of targets is ranked by one encoder after another, so memory use depends on the block size
and not on the number of targets or encoders.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection

from mirpipe.db.store import neighbour_lists
from mirpipe.db.store.active_revisions import ActiveEncoder
from mirpipe.db.store.run_csls_and_fusion_matches import Matches, insert_matches
from mirpipe.db.store.run_label_rankings import insert_rankings
from mirpipe.db.store.searchable_tracks import References
from mirpipe.db.store.track_labels import read_hashes_and_labels, read_label_blocks
from mirpipe.db.store.track_vectors import TrackVectors
from mirpipe.records import Float64, Int64
from mirpipe.stages.report.encoder_agreement import EncoderMatches
from mirpipe.stages.report.filtered_relevance import RelevanceByFilter
from mirpipe.stages.report.labelled_ranking import LabelledRanking
from mirpipe.stages.report.left_out_references import LeftOut, left_out_references
from mirpipe.stages.report.precision_by_label import precision_rows
from mirpipe.statistics.full_ranking import full_ranking
from mirpipe.statistics.label_relevance import LabelSets, shared_label_sets
from mirpipe.statistics.reciprocal_rank_fusion import FusedRanking, add_ranking, rank_by_score

MAX_SCORES = 1 << 24
"""Number of fusion scores that are in memory at the same time: 128 MiB. The rankings that are fused
need as much."""


@dataclass(frozen=True)
class FusedEncoder:
    """An encoder that takes part in the fusion."""

    targets: TrackVectors
    references: TrackVectors
    """The encoder's references, in the order of their content hashes."""
    places: Int64
    """Index of each of these references among the references of all encoders."""
    target_places: Int64
    """Index in the encoder's targets of each target of the fusion, or -1. Shape (targets,)."""
    own: Int64
    """Index in `references` of the reference with each target's content, or -1."""


@dataclass(frozen=True)
class FusedLibrary:
    """All targets and references of the encoders that take part in the fusion."""

    target_ids: Int64
    references: References
    labels: dict[str, tuple[LabelSets, LabelSets]]
    """Label sets of the references and of the targets, for each label that a reference has."""
    encoders: list[FusedEncoder]
    left_out: list[LeftOut]
    """What each filter leaves out of the targets' rankings before the measures are computed."""


def insert_fused_rankings(
    connection: Connection, run_id: int, matches: Mapping[ActiveEncoder, EncoderMatches]
) -> None:
    """Store the best fused matches of each target, and P@k, MRR and mAP by label.

    Encoders with random weights are left out. Nothing is stored if fewer than two encoders remain.
    A reference that no encoder has ranked for a target is neither a match nor relevant. What is
    left out of the measures is left out of the fused rankings, and not of those that are fused.
    """
    by_encoder = {encoder: found for encoder, found in matches.items() if not encoder.random}
    if len(by_encoder) < 2:
        return
    library = _read_library(connection, by_encoder)
    places, scores = [], []
    relevance = RelevanceByFilter(
        {label: reference_sets for label, (reference_sets, _) in library.labels.items()},
        {label: target_sets for label, (_, target_sets) in library.labels.items()},
        library.left_out,
    )
    for ranking in _fused_rankings(library):
        places.append(ranking.places[:, : neighbour_lists.SHOWN_MATCHES].copy())
        scores.append(ranking.scores)
        relevance.add(ranking.places, ranking.ranked_n, kept=neighbour_lists.SHOWN_MATCHES)
        del ranking  # Otherwise it stays in memory while the next rankings are computed.
    _insert_matches(connection, run_id, library, np.concatenate(places), np.concatenate(scores))
    rankings = [LabelledRanking("targets", "fusion", found) for found in relevance.result()]
    insert_rankings(connection, run_id, list(precision_rows(None, rankings)))


def _read_library(
    connection: Connection, by_encoder: Mapping[ActiveEncoder, EncoderMatches]
) -> FusedLibrary:
    target_ids = np.unique(np.concatenate([m.targets.track_ids for m in by_encoder.values()]))
    targets = read_hashes_and_labels(connection, target_ids)
    references = _all_references(list(by_encoder.values()))
    labels = shared_label_sets(targets.labels, read_label_blocks(connection, references.track_ids))
    encoders = []
    for found in by_encoder.values():
        places = references.places_of(found.hashes)
        own = References(found.references.track_ids, found.hashes).places_of(targets.hashes)
        target_places = np.full(len(target_ids), -1)
        rows = np.searchsorted(target_ids, found.targets.track_ids)
        target_places[rows] = np.arange(len(rows))
        encoders.append(FusedEncoder(found.targets, found.references, places, target_places, own))
    left_out = left_out_references(connection, target_ids, references.track_ids)
    return FusedLibrary(target_ids, references, labels, encoders, left_out)


def _all_references(by_encoder: Sequence[EncoderMatches]) -> References:
    """Return the references that at least one encoder searches."""
    hashes, first = np.unique(
        np.concatenate([found.hashes for found in by_encoder]), return_index=True
    )
    track_ids = np.concatenate([found.references.track_ids for found in by_encoder])
    return References(track_ids[first], hashes)


def _fused_rankings(library: FusedLibrary) -> Iterator[FusedRanking]:
    """Yield the fused rankings of all targets, block by block."""
    count = len(library.references.track_ids)
    step = max(MAX_SCORES // count, 1)
    for start in range(0, len(library.target_ids), step):
        rows = slice(start, start + step)
        scores = np.zeros((len(library.target_ids[rows]), count))
        for encoder in library.encoders:
            _add_rankings(encoder, rows, scores)
        yield rank_by_score(scores, kept=neighbour_lists.SHOWN_MATCHES)


def _add_rankings(encoder: FusedEncoder, rows: slice, scores: Float64) -> None:
    """Add the encoder's rankings for a block of targets to the block's fusion scores."""
    target_places = encoder.target_places[rows]
    has_target = np.flatnonzero(target_places >= 0)
    rankings = full_ranking(
        encoder.targets.rows(target_places[has_target]),
        encoder.references.blocks,
        len(encoder.references.track_ids),
        own=encoder.own[rows][has_target],
        kept=0,
    )
    for part in rankings:
        for row, places, has_own in zip(has_target[part.rows], part.places, part.own, strict=True):
            add_ranking(scores[row], encoder.places[places[:-1] if has_own else places])
        del part, places  # Otherwise they stay in memory while the next rankings are computed.


def _insert_matches(
    connection: Connection, run_id: int, library: FusedLibrary, places: Int64, scores: Float64
) -> None:
    """Store the first matches. Both arrays have the shape (targets, shown)."""
    row, column = np.nonzero(scores)
    matches = Matches(
        library.target_ids[row],
        column + 1,
        library.references.track_ids[places[row, column]],
        scores[row, column],
    )
    insert_matches(connection, run_id, "fusion", None, matches)
