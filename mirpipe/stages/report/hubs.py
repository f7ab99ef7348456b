"""Computes an encoder's hubness and its hubs, the references that are matches of many queries."""

import numpy as np
from sqlalchemy import Connection

from mirpipe.db.store.run_hubs import HubnessRow, HubRow, insert_hubness, insert_hubs
from mirpipe.records import Int64
from mirpipe.stages.report.full_rankings import RankedLibrary
from mirpipe.stages.report.precision_by_label import DEPTHS
from mirpipe.statistics.hubness import hubness, k_occurrences

MAX_HUBS = 20
"""Largest number of hubs that are stored per ranking and k."""


def insert_hubs_of_ranking(
    connection: Connection,
    run_id: int,
    library: RankedLibrary,
    queries: str,
    rerank: str,
    places: Int64,
) -> None:
    """Store the hubness and the hubs of one query set's rankings, for each k.

    `queries` is `targets` or `references`, and `rerank` is `cosine` or `csls`.

    `places` contains the indices of the matches, best first, padded with -1. Its shape is
    (queries, K).
    """
    reference_ids = library.references.track_ids
    hubness_rows, hub_rows = [], []
    for k in DEPTHS:
        counts = k_occurrences(places, k, len(reference_ids))
        result = hubness(counts)
        hubness_rows.append(
            HubnessRow(
                library.encoder_id,
                queries,
                rerank,
                k,
                result.skewness,
                result.largest,
                int(reference_ids[result.largest_place]),
                result.never_share,
                len(places),
                len(reference_ids),
            )
        )
        most_frequent = np.argsort(-counts, kind="stable")[:MAX_HUBS]
        for rank, place in enumerate(most_frequent[counts[most_frequent] > 0], start=1):
            reference_id, count = int(reference_ids[place]), int(counts[place])
            hub_rows.append(
                HubRow(library.encoder_id, queries, rerank, k, rank, reference_id, count)
            )
    insert_hubness(connection, run_id, hubness_rows)
    insert_hubs(connection, run_id, hub_rows)
