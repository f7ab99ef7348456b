"""What the database keeps for speed, made again from the vectors and compared."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, text

from mirpipe.db.store import binary_copy, cosine_moments, neighbour_lists
from mirpipe.db.store.exact_search import nearest
from mirpipe.statistics.cosine_moments import Moments

TOLERANCE = 1e-9
"""Relative: sums over a long history round differently from sums made in one go."""

REBUILD = "`mirpipe retrieve --rebuild` makes it anew"


@dataclass(frozen=True)
class Difference:
    """Something that is not as it ought to be: which check found it, and what it found."""

    check: str
    message: str


_COUNTS = {
    ("vectors", "vectors are not of length 1"): """
        SELECT count(*) FROM mirpipe.embedding WHERE abs(public.vector_norm(embedding) - 1) > 1e-6
    """,
    ("vectors", "vectors stand under another collection than their track"): """
        SELECT count(*) FROM mirpipe.embedding e JOIN mirpipe.track t USING (track_id)
        WHERE e.collection <> t.collection
    """,
    ("files", "tracks are ok without a file, or gone with one"): """
        SELECT count(*) FROM mirpipe.track t
        WHERE t.state IN ('ok', 'gone') AND t.collection <> 'generated'
          AND (t.state = 'ok') <> EXISTS (
            SELECT FROM mirpipe.track_file f WHERE f.track_id = t.track_id AND f.gone_at IS NULL)
    """,
    ("orphans", "neighbour entries belong to no list"): """
        SELECT count(*) FROM mirpipe.neighbour n WHERE NOT EXISTS (
            SELECT FROM mirpipe.neighbour_state s
            WHERE s.encoder_id = n.encoder_id AND s.target_id = n.target_id)
    """,
    ("orphans", "pair scores are of something else than a target with an answer or a clip"): """
        SELECT count(*) FROM mirpipe.pair_score s
        JOIN mirpipe.track t ON t.track_id = s.target_id
        JOIN mirpipe.track r ON r.track_id = s.reference_id
        WHERE t.collection <> 'target' OR r.collection NOT IN ('reference', 'generated')
    """,
}
"""Check and finding, with a query that ought to count nothing."""

_PENDING = text("SELECT coalesce(sum(items), 0) FROM mirpipe.v_pending")
_QUEUE = text("SELECT count(*) FROM mirpipe.embedding_change WHERE encoder_id = :encoder_id")
_STORED = text(
    "SELECT target_id, reference_id, cosine FROM mirpipe.neighbour WHERE encoder_id = :encoder_id"
)
_MEMBERS = text("SELECT track_id FROM mirpipe.background_member WHERE encoder_id = :encoder_id")
_UNSERVED = text("""
    WITH desired AS (
        SELECT n.encoder_id, n.target_id, n.rank, n.reference_id, n.cosine
        FROM mirpipe.top_neighbour n JOIN mirpipe.serving_revision USING (encoder_id)
    ), served AS (
        SELECT encoder_id, target_id, rank, reference_id, cosine
        FROM mirpipe.served_neighbour WHERE to_run IS NULL)
    SELECT count(*) FROM (
        (TABLE desired EXCEPT TABLE served) UNION ALL (TABLE served EXCEPT TABLE desired)) d
""")


def differences(connection: Connection) -> Iterator[Difference]:
    """Everything that is not as it ought to be; nothing where all is well.

    Wants one snapshot for all its reads: REPEATABLE READ.
    """
    for (check, finding), query in _COUNTS.items():
        if count := connection.execute(text(query)).scalar_one():
            yield Difference(check, f"{count} {finding}")
    for encoder in neighbour_lists.kept_up(connection):
        asked = {"encoder_id": encoder.encoder_id}
        if waiting := connection.execute(_QUEUE, asked).scalar_one():
            said = f"{encoder.name}: {waiting} changes wait; run `mirpipe retrieve`"
            yield Difference("queue", said)
            continue  # until then its lists need not be right
        yield from _lists(connection, encoder)
        yield from _background(connection, encoder)
    nothing_pending = connection.execute(_PENDING).scalar_one() == 0
    if nothing_pending and (count := connection.execute(_UNSERVED).scalar_one()):
        yield Difference("served", f"{count} answers are not the latest; run `mirpipe report`")


def _lists(connection: Connection, encoder: neighbour_lists.Encoder) -> Iterator[Difference]:
    encoder_id = encoder.encoder_id
    lists = neighbour_lists.lists(connection, encoder_id)
    references = neighbour_lists.references(connection, encoder_id)
    live = set(neighbour_lists.targets(connection, encoder_id).tolist())
    for target in sorted(live ^ set(lists.target_ids.tolist())):
        what = "no list" if target in live else "a list and no usable vector"
        yield Difference("lists", f"{encoder.name}: target {target} has {what}; {REBUILD}")
    stored: dict[int, set[tuple[int, float]]] = {}
    for target, reference, cosine in connection.execute(_STORED, {"encoder_id": encoder_id}):
        stored.setdefault(target, set()).add((reference, cosine))
    exact: dict[int, set[tuple[int, float]]] = {}
    one_too_many = neighbour_lists.KEPT + 1  # shows a full list that claims to hold every reference
    for found in nearest(connection, encoder_id, lists, references, one_too_many):
        rows = (found.target_ids, found.reference_ids, found.cosines)
        for target, reference, cosine in zip(*(row.tolist() for row in rows), strict=True):
            exact.setdefault(target, set()).add((reference, cosine))
    for target in sorted(stored.keys() | exact.keys()):
        if wrong := stored.get(target, set()) ^ exact.get(target, set()):
            said = f"{len(wrong)} entries of target {target} are not those of a full search"
            yield Difference("lists", f"{encoder.name}: {said}; {REBUILD}")
    cut = lists.target_ids[np.isfinite(lists.horizon_cosine)].tolist()
    for target in cut:
        if len(stored.get(target, ())) < neighbour_lists.SERVED:
            said = f"the list of target {target} is shorter than what is served"
            yield Difference("lists", f"{encoder.name}: {said}; {REBUILD}")


def _background(connection: Connection, encoder: neighbour_lists.Encoder) -> Iterator[Difference]:
    references = neighbour_lists.references(connection, encoder.encoder_id).track_ids
    members = connection.execute(_MEMBERS, {"encoder_id": encoder.encoder_id}).scalars()
    if wrong := set(members) ^ set(references.tolist()):
        said = f"{len(wrong)} references are counted and not usable, or the reverse"
        yield Difference("background", f"{encoder.name}: {said}; {REBUILD}")
    kept = cosine_moments.moments(connection, encoder.encoder_id)
    exact = Moments.of_nothing(len(kept.vector_sum))
    for _, vectors in binary_copy.read_vectors(connection, encoder.encoder_id, references):
        exact = exact.plus(vectors)
    same = kept.n == exact.n and all(
        np.abs(ours - theirs).max() <= TOLERANCE * max(1.0, np.abs(theirs).max())
        for ours, theirs in (
            (kept.vector_sum, exact.vector_sum),
            (kept.outer_sum, exact.outer_sum),
        )
    )
    if not same:
        said = "the sums over the references are not those of their vectors"
        yield Difference("background", f"{encoder.name}: {said}; {REBUILD}")
