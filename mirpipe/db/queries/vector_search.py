"""Finds the references that are nearest to a vector, using pgvector."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from pgvector import Vector
from sqlalchemy import text

from mirpipe.db.engine import engine
from mirpipe.db.queries.query_scale import query_scale
from mirpipe.db.queries.read_rows import read_rows, readable_errors
from mirpipe.db.queries.track_names import with_distinct_titles
from mirpipe.records import Float32
from mirpipe.statistics.exact_cosines import cosines

EXTRA_CANDIDATES = 10
"""Number of candidates that are read in addition to k.

Extra candidates are needed because pgvector computes in float32, which can swap references with
almost equal cosines.
"""


@dataclass(frozen=True)
class SearchableRevision:
    """An active or configured encoder revision, whose vectors can be searched."""

    encoder_id: int
    encoder: str
    """Name of the encoder."""
    revision: str
    serving: bool
    """Whether the revision is active. If not, it is the configured revision."""
    random: bool
    """Whether the weights are random. The results are then not meaningful for music."""
    imported: bool
    """Whether vectors of the revision were imported from a file, so that their origin is unknown.
    """


@dataclass(frozen=True)
class NearReference:
    """A reference in the result of a search."""

    rank: int
    """Rank in the result. Rank 1 is the nearest reference."""
    track_id: int
    title: str
    labels: dict[str, str]
    """Labels such as genre and instrument."""
    content_sha256: str
    """SHA-256 of the content, in hexadecimal."""
    cosine: float
    """Cosine between the query and the reference, in the encoder's own space."""
    relation: str | None = None
    """same_recording if the query is a track with the same recording, otherwise None."""
    z: float | None = None
    """Standard deviations above the query's mean cosine to all other references."""
    percentile: float | None = None
    """Percentage of reference pairs whose cosine is not higher.

    None before the first run, and for a text, whose cosines are on another scale."""


@dataclass(frozen=True)
class _StoredVector:
    vector: list[float]


@dataclass(frozen=True)
class _Relation:
    track_id: int
    relation: str


@dataclass(frozen=True)
class _Candidate:
    track_id: int
    title: str
    labels: dict[str, str]
    content_sha256: bytes
    vector: list[float]


_SEARCHABLE_REVISIONS = text("""
    SELECT e.encoder_id, e.name AS encoder, e.revision,
        s.encoder_id IS NOT NULL AS serving,
        e.is_random AS random,
        EXISTS (SELECT FROM mirpipe.embedding v JOIN mirpipe.embedding_batch b USING (batch_id)
            WHERE v.encoder_id = e.encoder_id AND b.is_imported) AS imported
    FROM mirpipe.encoder e LEFT JOIN mirpipe.serving_revision s USING (encoder_id)
    WHERE e.wanted OR s.encoder_id IS NOT NULL
    ORDER BY e.name, serving DESC
""")
_STORED_VECTOR = text("""
    SELECT CAST(embedding AS real[]) AS vector FROM mirpipe.embedding
    WHERE encoder_id = :encoder_id AND track_id = :track_id
""")
_NEAREST_REFERENCES = """
    SELECT t.track_id, t.title, t.labels, t.content_sha256, CAST(v.embedding AS real[]) AS vector
    FROM mirpipe.v_embedding_{encoder_id} v JOIN mirpipe.track t USING (track_id)
    WHERE v.collection = 'reference' AND t.state = 'ok' AND t.content_sha256 <> :excluded_sha256
    ORDER BY v.embedding <=> CAST(:vector AS vector), t.content_sha256
    LIMIT :limit
"""
_RELATIONS = text("""
    SELECT s.other_id AS track_id, min(s.relation) AS relation
    FROM mirpipe.track q JOIN mirpipe.v_same_recording s USING (track_id)
    WHERE q.content_sha256 = :sha256 AND s.other_id = ANY(:track_ids) GROUP BY s.other_id
""")
# For an HNSW index (mirpipe/db/search_index.py), if there is one. Without iterative scans, it can
# return fewer rows than the limit, because the rows are filtered after the scan. With strict_order,
# a scan would leave out references that it finds late. The candidates are sorted again below.
_INDEX_SETTINGS = text("""
    SELECT set_config('hnsw.iterative_scan', 'relaxed_order', true),
        set_config('hnsw.ef_search', :ef_search, true)
""")
MIN_EF_SEARCH, MAX_EF_SEARCH = 100, 1000
"""Limits of the number of candidates that a scan of an HNSW index keeps. pgvector allows 1,000."""


def searchable_revisions() -> list[SearchableRevision]:
    """Return the active and configured revisions of each encoder, sorted by encoder.

    If the two revisions of an encoder differ, the active one comes first.
    """
    return read_rows(SearchableRevision, _SEARCHABLE_REVISIONS)


def stored_vector(revision: SearchableRevision, track_id: int) -> Float32 | None:
    """Return the stored vector of a track, shape (dimension,), or None if there is none."""
    rows = read_rows(
        _StoredVector, _STORED_VECTOR, encoder_id=revision.encoder_id, track_id=track_id
    )
    return np.array(rows[0].vector, np.float32) if rows else None


def nearest_references(
    revision: SearchableRevision, vector: Float32, *, k: int, excluded_sha256: bytes
) -> list[NearReference]:
    """Return the k references with the highest cosines to `vector`, which has shape (dimension,).

    With an HNSW index, at least 99 of 100 are found; without one, all. References with the content
    hash `excluded_sha256`, which is that of the query, are left out.
    References with the same recording as a track with this hash are marked. The order is the same
    as in the stored match lists: by exact float64 cosine, and by content hash if cosines are equal.
    Raises DatabaseError like `read_rows`.
    """
    query = text(_NEAREST_REFERENCES.format(encoder_id=revision.encoder_id))
    limit = k + EXTRA_CANDIDATES
    parameters = {
        "vector": Vector(vector).to_text(),
        "excluded_sha256": excluded_sha256,
        "limit": limit,
    }
    with readable_errors(), engine("reader").connect() as connection, connection.begin():
        ef_search = min(max(MIN_EF_SEARCH, 2 * limit), MAX_EF_SEARCH)
        connection.execute(_INDEX_SETTINGS, {"ef_search": str(ef_search)})
        rows = connection.execute(query, parameters).mappings()
        candidates = [_Candidate(**row) for row in rows]
    nearest = _ranked(vector, candidates)[:k]
    relation_of = {
        row.track_id: row.relation
        for row in read_rows(
            _Relation,
            _RELATIONS,
            sha256=excluded_sha256,
            track_ids=[reference.track_id for reference in nearest],
        )
    }
    scale = query_scale(revision.encoder_id, vector, sha256=excluded_sha256)
    marked = [
        replace(
            reference,
            relation=relation_of.get(reference.track_id),
            z=scale.z(reference.cosine),
            percentile=scale.percentile(reference.cosine),
        )
        for reference in nearest
    ]
    return with_distinct_titles(marked, title="track_id")


def _ranked(vector: Float32, candidates: Sequence[_Candidate]) -> list[NearReference]:
    """Return the candidates with rank and exact cosine, highest cosine first."""
    if not candidates:
        return []
    vectors = np.array([candidate.vector for candidate in candidates], np.float32)
    exact = cosines(np.broadcast_to(vector, vectors.shape), vectors)
    sort_keys = [
        (-cosine, bytes(candidate.content_sha256))
        for cosine, candidate in zip(exact, candidates, strict=True)
    ]
    order = sorted(range(len(candidates)), key=sort_keys.__getitem__)
    return [
        NearReference(
            rank,
            candidates[index].track_id,
            candidates[index].title,
            candidates[index].labels,
            bytes(candidates[index].content_sha256).hex(),
            float(exact[index]),
        )
        for rank, index in enumerate(order, start=1)
    ]
