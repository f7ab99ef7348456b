"""Nearest references of anything that has a vector, from pgvector, as the role that only reads."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pgvector import Vector
from sqlalchemy import text

from mirpipe.db.engine import engine
from mirpipe.db.queries.read_rows import rows
from mirpipe.errors import ConfigurationError
from mirpipe.records import Float32
from mirpipe.statistics.exact_top_k import cosines

SLACK = 10
"""Answers beyond those asked for: pgvector adds in float32 and may swap what is nearly level."""


@dataclass(frozen=True)
class Found:
    """A usable track that a search may start from."""

    track_id: int
    collection: str
    title: str
    content_sha256: bytes


@dataclass(frozen=True)
class Space:
    """The revision of an encoder that answers, or, before the first run, the wanted one."""

    encoder_id: int
    encoder: str
    revision: str
    serving: bool
    random: bool
    """Its weights are a stand-in: its answers say nothing about music."""


@dataclass(frozen=True)
class Hit:
    """A reference and its cosine to what was searched for."""

    rank: int
    track_id: int
    title: str
    labels: dict[str, str]
    content_sha256: str
    cosine: float


@dataclass(frozen=True)
class _Vector:
    vector: list[float]


@dataclass(frozen=True)
class _Near:
    track_id: int
    title: str
    labels: dict[str, str]
    content_sha256: bytes
    vector: list[float]


# The best kind of match alone: an id, else a whole title, else a part of one, whatever its case.
_FIND = text("""
    SELECT track_id, collection, title, content_sha256 FROM (
        SELECT t.*, rank() OVER (ORDER BY CASE
            WHEN CAST(track_id AS text) = :asked THEN 1
            WHEN normalize(title) = normalize(:asked) THEN 2
            WHEN normalize(lower(title)) = normalize(lower(:asked)) THEN 3
            ELSE 4 END) AS kind
        FROM mirpipe.track t
        WHERE state = 'ok' AND (CAST(track_id AS text) = :asked
            OR position(normalize(lower(:asked)) IN normalize(lower(title))) > 0)
    ) matching
    WHERE kind = 1
    ORDER BY array_position(ARRAY['target', 'reference', 'generated'], collection), title, track_id
""")
_OF_CONTENT = text("""
    SELECT track_id, collection, title, content_sha256 FROM mirpipe.track
    WHERE state = 'ok' AND content_sha256 = :sha256 ORDER BY collection, track_id
""")
_SPACES = text("""
    SELECT e.encoder_id, e.name AS encoder, e.revision,
        s.encoder_id IS NOT NULL AS serving,
        e.is_random AS random
    FROM mirpipe.encoder e LEFT JOIN mirpipe.serving_revision s USING (encoder_id)
    WHERE e.wanted OR s.encoder_id IS NOT NULL
    ORDER BY e.name, serving DESC
""")
_VECTOR = text("""
    SELECT CAST(embedding AS real[]) AS vector FROM mirpipe.embedding
    WHERE encoder_id = :encoder_id AND track_id = :track_id
""")
_NEAR = """
    SELECT t.track_id, t.title, t.labels, t.content_sha256, CAST(v.embedding AS real[]) AS vector
    FROM mirpipe.v_embedding_{encoder_id} v JOIN mirpipe.track t USING (track_id)
    WHERE v.collection = 'reference' AND t.state = 'ok' AND t.content_sha256 <> :own
    ORDER BY v.embedding <=> CAST(:vector AS vector), t.content_sha256
    LIMIT :wanted
"""
# Where there is an HNSW index: filters would otherwise leave short lists.
_SCAN_ON = text("SET LOCAL hnsw.iterative_scan = strict_order")


def find(asked: str) -> list[Found]:
    """Usable tracks that `asked` names: by id, by whole title, or by a part of it."""
    return rows(Found, _FIND, asked=asked)


def one_target(asked: str) -> int:
    """The id of the usable target that is meant. Raises ConfigurationError where it is not one."""
    found = [one for one in find(asked) if one.collection == "target"]
    exact = [one for one in found if asked in (one.title, str(one.track_id))] or found
    if len(exact) == 1:
        return exact[0].track_id
    if not found:
        raise ConfigurationError(f"no usable target is called {asked!r}")
    listed = [f"  {one.track_id}  {one.title}" for one in exact[:20]]
    raise ConfigurationError("\n".join([f"{asked!r} names {len(exact)}; give an id:", *listed]))


def of_content(sha256: bytes) -> list[Found]:
    """Usable tracks that hold these bytes."""
    return rows(Found, _OF_CONTENT, sha256=sha256)


def spaces() -> list[Space]:
    """Where a search can take place, by encoder; of two revisions the one that answers first."""
    return rows(Space, _SPACES)


def vector_of(space: Space, track_id: int) -> Float32 | None:
    """The stored vector, of shape (dimension,), of a track."""
    found = rows(_Vector, _VECTOR, encoder_id=space.encoder_id, track_id=track_id)
    return np.array(found[0].vector, np.float32) if found else None


def nearest(space: Space, vector: Float32, *, k: int, own: bytes) -> list[Hit]:
    """The `k` references nearest to `vector`, shape (dimension,); never the content `own`.

    pgvector finds them; then they are ordered as `retrieve` orders, by the exact cosine and, where
    that is equal, by content hash.
    """
    query = _NEAR.format(encoder_id=space.encoder_id)
    asked = {"vector": Vector(vector).to_text(), "own": own, "wanted": k + SLACK}
    with engine("reader").connect() as connection, connection.begin():
        connection.execute(_SCAN_ON)
        near = [_Near(**row) for row in connection.execute(text(query), asked).mappings()]
    return _ranked(vector, near)[:k]


def _ranked(vector: Float32, near: Sequence[_Near]) -> list[Hit]:
    if not near:
        return []
    found = np.array([one.vector for one in near], np.float32)
    exact = cosines(np.broadcast_to(vector, found.shape), found)
    keys = [(-cosine, bytes(one.content_sha256)) for cosine, one in zip(exact, near, strict=True)]
    best = sorted(range(len(near)), key=keys.__getitem__)
    return [
        Hit(
            rank,
            near[place].track_id,
            near[place].title,
            near[place].labels,
            bytes(near[place].content_sha256).hex(),
            float(exact[place]),
        )
        for rank, place in enumerate(best, start=1)
    ]
