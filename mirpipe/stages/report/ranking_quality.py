"""Stores all results about a run's rankings, for each encoder and for all encoders together.

The results for each encoder are the agreement with labels, the hubs and the re-ranking by CSLS. The
results for all encoders together are their agreement and their fused rankings.
"""

from collections.abc import Sequence

import numpy as np
from sqlalchemy import Connection

from mirpipe.db.store.active_revisions import ActiveEncoder, active_encoders
from mirpipe.db.store.run_csls import insert_csls
from mirpipe.db.store.run_csls_and_fusion_matches import (
    delete_matches_of_earlier_runs,
    mark_same_recordings,
)
from mirpipe.db.store.run_label_rankings import insert_rankings
from mirpipe.stages.report.csls_accuracy import csls_accuracy
from mirpipe.stages.report.csls_reranking import (
    insert_reranked_matches,
    relevance_by_csls,
    rerank,
)
from mirpipe.stages.report.encoder_agreement import EncoderMatches, insert_agreement_of_encoders
from mirpipe.stages.report.full_rankings import QueryRankings, RankedLibrary, rank_library
from mirpipe.stages.report.fused_rankings import insert_fused_rankings
from mirpipe.stages.report.hubs import insert_hubs_of_ranking
from mirpipe.stages.report.labelled_ranking import LabelledRanking
from mirpipe.stages.report.precision_by_label import precision_rows


def insert_ranking_results(connection: Connection, run_id: int) -> None:
    """Store all results about the rankings by all active encoders.

    CSLS matches and fused matches are kept only for the latest run.
    """
    delete_matches_of_earlier_runs(connection, run_id)
    matches: dict[ActiveEncoder, EncoderMatches] = {}
    for encoder in active_encoders(connection):
        ranked = rank_library(connection, encoder.encoder_id)
        if ranked is None:
            continue
        library, query_sets = ranked
        _insert_results_of_encoder(connection, run_id, library, query_sets)
        for queries in query_sets:
            if queries.name == "targets":
                matches[encoder] = _encoder_matches(library, queries)
    insert_agreement_of_encoders(connection, run_id, matches)
    insert_fused_rankings(connection, run_id, matches)
    mark_same_recordings(connection, run_id)


def _insert_results_of_encoder(
    connection: Connection,
    run_id: int,
    library: RankedLibrary,
    query_sets: Sequence[QueryRankings],
) -> None:
    rankings: list[LabelledRanking] = []
    for queries in query_sets:
        rankings += [LabelledRanking(queries.name, "cosine", each) for each in queries.relevance]
        insert_hubs_of_ranking(connection, run_id, library, queries.name, "cosine", queries.places)
    # CSLS needs at least two references, because a single reference has no nearest reference.
    if query_sets and len(library.references.track_ids) > 1:
        rerankings, base_n = rerank(library, query_sets)
        for reranking in rerankings:
            name = reranking.by_cosine.name
            rankings.append(LabelledRanking(name, "csls", relevance_by_csls(reranking)))
            insert_hubs_of_ranking(connection, run_id, library, name, "csls", reranking.places)
            if name == "targets":
                accuracy = csls_accuracy(library, reranking, base_n)
                insert_csls(connection, run_id, accuracy)
                insert_reranked_matches(connection, run_id, library, reranking)
    insert_rankings(connection, run_id, list(precision_rows(library.encoder_id, rankings)))


def _encoder_matches(library: RankedLibrary, targets: QueryRankings) -> EncoderMatches:
    reference_ids = library.references.track_ids
    matches = np.where(targets.places < 0, -1, reference_ids[targets.places])
    return EncoderMatches(targets.vectors, matches, library.references, library.hashes)
