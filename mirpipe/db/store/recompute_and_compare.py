"""Recomputes neighbour lists and the sums for z from vectors, and compares them with stored data.

Pairs with the same recording, vectors, files and orphaned rows are also checked. `mirpipe verify`
shows the differences.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, text

from mirpipe.db.store import neighbour_lists, pair_input_changes, unsettled_tracks
from mirpipe.db.store.active_revisions import MaintainedEncoder, maintained_encoders
from mirpipe.db.store.cosine_moments import read_moments
from mirpipe.db.store.exact_search import search_entries
from mirpipe.db.store.neighbour_lists import NeighbourLists, read_lists
from mirpipe.db.store.same_recording_check import wrong_pairs
from mirpipe.db.store.searchable_tracks import (
    References,
    searchable_references,
    searchable_targets,
)
from mirpipe.db.store.shown_matches import CURRENT_MATCHES
from mirpipe.db.store.stored_vectors import read_vectors
from mirpipe.statistics.cosine_moments import Moments

TOLERANCE = 1e-9
"""Maximum relative difference between two sums, because many small updates round differently."""

LISTS_PER_BLOCK = 4096
"""Number of lists whose entries are in memory at the same time."""

REBUILD = "Run `mirpipe retrieve --rebuild`."


@dataclass(frozen=True)
class Difference:
    """A difference between stored data and the data that should be stored."""

    check: str
    """Name of the check that found the difference."""
    message: str
    """Description for the user."""


_COUNTS = {
    ("vectors", "vectors whose length is not 1"): """
        SELECT count(*) FROM mirpipe.embedding WHERE abs(public.vector_norm(embedding) - 1) > 1e-6
    """,
    ("vectors", "vectors whose collection differs from that of their track"): """
        SELECT count(*) FROM mirpipe.embedding e JOIN mirpipe.track t USING (track_id)
        WHERE e.collection <> t.collection
    """,
    (
        "files",
        "tracks in state ok without a file, or without audio or in state gone with a file",
    ): """
        SELECT count(*) FROM mirpipe.track t
        WHERE t.state IN ('ok', 'gone') AND t.collection <> 'generated'
          AND (t.state = 'ok' AND t.has_audio) <> EXISTS (
            SELECT FROM mirpipe.track_file f WHERE f.track_id = t.track_id AND f.gone_at IS NULL)
    """,
    ("orphans", "neighbour list entries that do not belong to any list"): """
        SELECT count(*) FROM mirpipe.neighbour n WHERE NOT EXISTS (
            SELECT FROM mirpipe.neighbour_state s
            WHERE s.encoder_id = n.encoder_id AND s.target_id = n.target_id)
    """,
    ("orphans", "pair scores that are not for a target with a reference or clip"): """
        SELECT count(*) FROM mirpipe.pair_score s
        JOIN mirpipe.track t ON t.track_id = s.target_id
        JOIN mirpipe.track r ON r.track_id = s.reference_id
        WHERE t.collection <> 'target' OR r.collection NOT IN ('reference', 'generated')
    """,
}
"""Queries whose count must be 0, by check name and description of the difference."""

_PENDING = text("SELECT coalesce(sum(items), 0) FROM mirpipe.v_pending")
_QUEUE = text("SELECT count(*) FROM mirpipe.embedding_change WHERE encoder_id = :encoder_id")
_STORED_ENTRIES = text(
    "SELECT target_id, reference_id, cosine FROM mirpipe.neighbour "
    "WHERE encoder_id = :encoder_id AND target_id = ANY(:target_ids)"
)
_WRONG_MEMBERS = text("""
    SELECT count(*)
    FROM (SELECT track_id FROM mirpipe.background_member WHERE encoder_id = :encoder_id) m
    FULL JOIN (
        SELECT track_id FROM mirpipe.embedding e JOIN mirpipe.track t USING (track_id)
        WHERE e.encoder_id = :encoder_id AND e.collection = 'reference' AND t.state = 'ok') r
    USING (track_id)
    WHERE m.track_id IS NULL OR r.track_id IS NULL
""")
_UNPUBLISHED = text(f"""
    WITH desired AS ({CURRENT_MATCHES}), served AS (
        SELECT encoder_id, target_id, rank, reference_id, cosine, relation
        FROM mirpipe.served_neighbour WHERE to_run IS NULL)
    SELECT count(*) FROM (
        (TABLE desired EXCEPT TABLE served) UNION ALL (TABLE served EXCEPT TABLE desired)) d
""")


def differences(connection: Connection) -> Iterator[Difference]:
    """Yield all differences between the stored data and the recomputed data.

    The transaction must be REPEATABLE READ, so that all tables are read in the same state.
    """
    for (check, description), query in _COUNTS.items():
        if count := connection.execute(text(query)).scalar_one():
            yield Difference(check, f"{description}: {count}")
    for encoder in maintained_encoders(connection):
        parameters = {"encoder_id": encoder.encoder_id}
        if changes := connection.execute(_QUEUE, parameters).scalar_one():
            yield Difference(
                "queue",
                f"{encoder.name}: changed vectors that have not been processed yet: {changes}. "
                "Run `mirpipe retrieve`.",
            )
            continue  # The lists are not up to date until the queue has been processed.
        yield from _list_differences(connection, encoder)
        yield from _moment_differences(connection, encoder)
    for track_id, other_id in wrong_pairs(connection):
        yield Difference(
            "same recordings",
            f"tracks {track_id} and {other_id}: the stored pair differs from a comparison of their "
            "fingerprints. Run `mirpipe evaluate --rebuild`.",
        )
    if count := unsettled_tracks.count_missing(connection):
        yield Difference(
            "pending",
            f"tracks with pending work that v_pending does not count: {count}. Run `mirpipe prune "
            "--yes`.",
        )
    if pair_input_changes.is_mark_missing(connection):
        yield Difference(
            "pending",
            "pending pair scores that v_pending does not count. Run `mirpipe prune --yes`.",
        )
    nothing_pending = connection.execute(_PENDING).scalar_one() == 0
    if nothing_pending and (count := connection.execute(_UNPUBLISHED).scalar_one()):
        yield Difference(
            "served", f"shown matches that are not up to date: {count}. Run `mirpipe report`."
        )


def _list_differences(connection: Connection, encoder: MaintainedEncoder) -> Iterator[Difference]:
    """Yield the differences between the stored lists and an exact search over all vectors."""
    lists = read_lists(connection, encoder.encoder_id)
    targets = set(searchable_targets(connection, encoder.encoder_id).tolist())
    for target in sorted(targets ^ set(lists.target_ids.tolist())):
        problem = "has no list" if target in targets else "has a list but no usable vector"
        yield Difference("lists", f"{encoder.name}: target {target} {problem}. {REBUILD}")
    references = searchable_references(connection, encoder.encoder_id)
    for start in range(0, len(lists.target_ids), LISTS_PER_BLOCK):
        block = lists.part(slice(start, start + LISTS_PER_BLOCK))
        yield from _entry_differences(connection, encoder, block, references)


def _entry_differences(
    connection: Connection,
    encoder: MaintainedEncoder,
    lists: NeighbourLists,
    references: References,
) -> Iterator[Difference]:
    """Yield the differences between the stored entries of these lists and an exact search."""
    stored = _stored_entries(connection, encoder.encoder_id, lists)
    exact = _searched_entries(connection, encoder.encoder_id, lists, references)
    for target in sorted(stored.keys() | exact.keys()):
        if wrong := stored.get(target, set()) ^ exact.get(target, set()):
            yield Difference(
                "lists",
                f"{encoder.name}: target {target}: entries of its list that differ from an exact "
                f"search: {len(wrong)}. {REBUILD}",
            )
    for target in lists.target_ids[np.isfinite(lists.horizon_cosine)].tolist():
        if len(stored.get(target, ())) < neighbour_lists.SHOWN_MATCHES:
            yield Difference(
                "lists", f"{encoder.name}: target {target}: its list is too short. {REBUILD}"
            )


def _stored_entries(
    connection: Connection, encoder_id: int, lists: NeighbourLists
) -> dict[int, set[tuple[int, float]]]:
    """Return the stored entries, as pairs of reference and cosine, by target."""
    entries: dict[int, set[tuple[int, float]]] = {}
    parameters = {"encoder_id": encoder_id, "target_ids": lists.target_ids.tolist()}
    rows = connection.execute(_STORED_ENTRIES, parameters)
    for target, reference, cosine in rows:
        entries.setdefault(target, set()).add((reference, cosine))
    return entries


def _searched_entries(
    connection: Connection, encoder_id: int, lists: NeighbourLists, references: References
) -> dict[int, set[tuple[int, float]]]:
    """Return the entries that an exact search finds, as pairs of reference and cosine, by target.

    The search returns up to one entry more than a list can contain. The extra entry shows if a full
    list without a horizon is incomplete.
    """
    k = neighbour_lists.MAX_ENTRIES + 1
    entries: dict[int, set[tuple[int, float]]] = {}
    for part in search_entries(connection, encoder_id, lists, references, k):
        columns = (part.target_ids, part.reference_ids, part.cosines)
        rows = zip(*(column.tolist() for column in columns), strict=True)
        for target, reference, cosine in rows:
            entries.setdefault(target, set()).add((reference, cosine))
    return entries


def _moment_differences(connection: Connection, encoder: MaintainedEncoder) -> Iterator[Difference]:
    """Yield the differences between the stored moments and the moments of all vectors."""
    references = searchable_references(connection, encoder.encoder_id).track_ids
    parameters = {"encoder_id": encoder.encoder_id}
    if wrong := connection.execute(_WRONG_MEMBERS, parameters).scalar_one():
        yield Difference(
            "background",
            f"{encoder.name}: references that are included in the sums for z but not usable, "
            f"or the reverse: {wrong}. {REBUILD}",
        )
    stored = read_moments(connection, encoder.encoder_id)
    exact = Moments.empty(len(stored.vector_sum))
    for _, vectors in read_vectors(connection, encoder.encoder_id, references):
        exact = exact.plus(vectors)
    is_equal = stored.n == exact.n and all(
        np.abs(stored_sum - exact_sum).max() <= TOLERANCE * max(1.0, np.abs(exact_sum).max())
        for stored_sum, exact_sum in (
            (stored.vector_sum, exact.vector_sum),
            (stored.outer_sum, exact.outer_sum),
        )
    )
    if not is_equal:
        yield Difference(
            "background",
            f"{encoder.name}: the sums for z differ from the sums of the vectors. {REBUILD}",
        )
