"""Rankings of a run: against labels, hubs, re-ranked, how far encoders agree, and all fused."""

from collections.abc import Iterator, Sequence

import numpy as np
from sqlalchemy import Connection

from mirpipe.db.store import neighbour_lists, run_rankings
from mirpipe.records import Int64
from mirpipe.stages.report.agreement_and_fusion import Nearest, insert_agreement, insert_fusion
from mirpipe.stages.report.csls_reranking import Reranked, agreement, rerank
from mirpipe.stages.report.full_rankings import Library, Lists, full_lists
from mirpipe.stages.report.label_relevance import DEPTHS, Judged, label_rows
from mirpipe.statistics.hubness import hubness, occurrences

HUBS = 20
"""References of a run_hub."""


def insert_rankings(connection: Connection, run_id: int) -> None:
    """Stores what there is to say about the rankings of every encoder that answers."""
    run_rankings.forget_answers(connection, run_id)
    nearest: dict[run_rankings.Serving, Nearest] = {}
    for encoder in run_rankings.serving(connection):
        found = full_lists(connection, encoder.encoder_id)
        if found is None:
            continue
        library, sets = found
        _insert_encoder(connection, run_id, library, sets)
        for one in sets:
            if one.name == "targets":
                ids = library.references.track_ids
                answers = np.where(one.places < 0, -1, ids[one.places])
                nearest[encoder] = Nearest(one.track_ids, answers, ids)
    insert_agreement(connection, run_id, nearest)
    insert_fusion(connection, run_id, nearest)


def _insert_encoder(
    connection: Connection, run_id: int, library: Library, sets: Sequence[Lists]
) -> None:
    rows: list[run_rankings.Row] = []
    judged: list[Judged] = []
    for one in sets:
        judged.append(Judged(one.name, "cosine", one.relevance))
        rows += _of_hubs(library, one.name, "cosine", one.places)
    if sets and len(library.references.track_ids) > 1:  # one alone has no neighbourhood
        again, base_n = rerank(connection, library, sets)
        for other in again:
            name = other.lists.name
            relevance = {
                label: found.reordered(other.order)
                for label, found in other.lists.relevance.items()
            }
            judged.append(Judged(name, "csls", relevance))
            rows += _of_hubs(library, name, "csls", other.places)
            if name == "targets":
                rows.append(agreement(connection, library, other, base_n))
                _insert_reranked(connection, run_id, library, other)
    rows += label_rows(library.encoder_id, judged)
    run_rankings.write(connection, run_id, rows)


def _of_hubs(
    library: Library, queries: str, order: str, places: Int64
) -> Iterator[run_rankings.Row]:
    ids = library.references.track_ids
    for k in DEPTHS:
        counts = occurrences(places, k, len(ids))
        found = hubness(counts)
        yield run_rankings.HubnessOf(
            library.encoder_id,
            queries,
            order,
            k,
            found.skewness,
            found.largest,
            int(ids[found.largest_place]),
            found.never_share,
            len(places),
            len(ids),
        )
        most = np.argsort(-counts, kind="stable")[:HUBS]
        for rank, place in enumerate(most[counts[most] > 0], start=1):
            yield run_rankings.Hub(
                library.encoder_id, queries, order, k, rank, int(ids[place]), int(counts[place])
            )


def _insert_reranked(
    connection: Connection, run_id: int, library: Library, found: Reranked
) -> None:
    order = found.order[:, : neighbour_lists.SERVED]
    places = np.take_along_axis(found.lists.places, order, axis=1)
    row, column = np.nonzero(places >= 0)
    taken = order[row, column]
    answers = run_rankings.Answers(
        found.lists.track_ids[row],
        column + 1,
        library.references.track_ids[places[row, column]],
        found.scores[row, taken],
        found.lists.cosines[row, taken],
        taken + 1,
    )
    run_rankings.write_answers(connection, run_id, "csls", library.encoder_id, answers)
