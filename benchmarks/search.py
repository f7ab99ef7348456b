"""Measures searches with an HNSW index: recall, time, rate, and the size and build of the index.

The recall is that of the ten nearest references, compared with the exact lists.
"""

import time
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from multiprocessing import get_context

import numpy as np
from pgvector import Vector
from sqlalchemy import Connection, text

from benchmarks.large_library import (
    add_tracks,
    clustered_vectors,
    measure_seconds,
    register_encoder,
    temporary_server,
)
from mirpipe.db.engine import close_engines, engine
from mirpipe.db.queries import vector_search
from mirpipe.db.search_index import build_search_index, search_indexes
from mirpipe.records import Float32

REFERENCES, DIMENSION = 100_000, 512
BATCH = 100_000
"""Number of references that are written at once."""
QUERIES, K = 200, 10
CLUSTER = 250
"""Mean number of similar references."""
CLIENTS = 8
GENRES = {"one in ten": 10, "one in a hundred": 100}
"""Share of references with the same label, and its number of labels."""

_NEAREST = """
    SELECT track_id FROM (
        SELECT v.track_id, v.embedding <=> CAST(:vector AS vector) AS distance
        FROM mirpipe.v_embedding_{0} v JOIN mirpipe.track t USING (track_id)
        WHERE v.collection = 'reference' AND t.state = 'ok' {1}
        ORDER BY v.embedding <=> CAST(:vector AS vector) LIMIT 2 * :k
    ) nearest ORDER BY distance LIMIT :k
"""
_HALFVEC = """
    CREATE INDEX half ON mirpipe.embedding_{0}
    USING hnsw ((embedding::public.halfvec({1})) public.halfvec_cosine_ops)
    WITH (m = 16, ef_construction = 100) WHERE collection = 'reference'
"""
_NEAREST_HALFVEC = """
    SELECT track_id FROM (
        SELECT track_id, embedding FROM mirpipe.embedding_{0} WHERE collection = 'reference'
        ORDER BY embedding::halfvec({1}) <=> CAST(CAST(:vector AS vector) AS halfvec({1})) LIMIT 40
    ) nearest ORDER BY embedding <=> CAST(:vector AS vector) LIMIT :k
"""


def run(references: int = REFERENCES) -> list[tuple[str, float, str]]:
    """Return name, value and unit of each measurement. With 100,000 references: three minutes."""
    random = np.random.default_rng(0)
    centres = random.standard_normal((references // CLUSTER, DIMENSION))
    vectors = np.concatenate(
        [
            clustered_vectors(random, centres, min(BATCH, references - start))
            for start in range(0, references, BATCH)
        ]
    )
    queries = clustered_vectors(random, centres, QUERIES)
    rows: list[tuple[str, float, str]] = []
    with temporary_server():
        encoder_id = register_encoder(DIMENSION)
        for start in range(0, references, BATCH):
            add_tracks(encoder_id, "reference", vectors[start : start + BATCH])
        with engine("app").begin() as app:
            app.execute(_LABELS)
            ids = np.array(app.execute(_IDS, {"encoder_id": encoder_id}).scalars().all())
        nearest = _exact(vectors, queries)
        with engine("reader").connect() as reader:
            without, _ = _ask(reader, _NEAREST.format(encoder_id, ""), queries[:20])
            (index,) = search_indexes(reader)
        rows.append(("search, no index: median", float(np.median(without)), "ms"))
        memory = f"{64 + 5 * references * DIMENSION // 2**20 + references // 1000}MB"
        build = measure_seconds(lambda: build_search_index(index, memory=memory))
        with engine("reader").connect() as reader:
            (built,) = search_indexes(reader)
            seconds, found = _ask(reader, _NEAREST.format(encoder_id, ""), queries)
        rows += [
            ("search, HNSW: build", build, "s"),
            ("search, HNSW: size", built.bytes / 1e6, "MB"),
            ("search, HNSW: recall of the ten nearest", _recall(found, ids[nearest]), ""),
            ("search, HNSW: median", float(np.median(seconds)), "ms"),
            ("search, HNSW: 95% of the queries", float(np.percentile(seconds, 95)), "ms"),
            (f"search, HNSW: {CLIENTS} clients", _rate(encoder_id, queries), "queries/s"),
        ]
        for share, labels in GENRES.items():
            rows += _filtered(encoder_id, vectors, queries, ids, share, labels)
        rows += _halfvec(encoder_id, queries, ids[nearest])
    return [(f"{name}, {references:,} × {DIMENSION}", value, unit) for name, value, unit in rows]


_LABELS = text("""
    UPDATE mirpipe.track SET labels = jsonb_build_object(
        'one in ten', (track_id % 10)::text, 'one in a hundred', (track_id % 100)::text)
""")
_IDS = text("""
    SELECT v.track_id FROM mirpipe.embedding v JOIN mirpipe.track t USING (track_id)
    WHERE v.encoder_id = :encoder_id ORDER BY CAST(t.title AS integer)
""")


def _exact(vectors: Float32, queries: Float32) -> np.ndarray:
    """Return the positions of the k nearest vectors of each query, shape (queries, k)."""
    cosines = queries @ vectors.T
    return np.argsort(-cosines, axis=1, kind="stable")[:, :K]


def _ask(connection: Connection, sql: str, queries: Float32) -> tuple[list[float], list[list[int]]]:
    """Return the milliseconds and the track ids of each query, after one for each to warm up."""
    connection.execute(vector_search._INDEX_SETTINGS, {"ef_search": "100"})
    query = text(sql)
    for _attempt in range(2):
        milliseconds, found = [], []
        for vector in queries:
            parameters = {"vector": Vector(vector).to_text(), "k": K}
            started = time.perf_counter()
            found.append(list(connection.execute(query, parameters).scalars()))
            milliseconds.append(1000 * (time.perf_counter() - started))
    return milliseconds, found


def _recall(found: list[list[int]], expected: np.ndarray) -> float:
    hits = [len(set(a) & set(b.tolist())) for a, b in zip(found, expected, strict=True)]
    return sum(hits) / expected.size


def _rate(encoder_id: int, queries: Float32) -> float:
    """Return the queries per second of several clients together."""
    sql = _NEAREST.format(encoder_id, "")
    with ProcessPoolExecutor(CLIENTS, mp_context=get_context("spawn")) as clients:
        list(clients.map(_client, repeat(sql, CLIENTS), repeat(queries[:20], CLIENTS)))
        started = time.perf_counter()
        list(clients.map(_client, repeat(sql, CLIENTS), repeat(queries, CLIENTS)))
        seconds = time.perf_counter() - started
    return 2 * CLIENTS * len(queries) / seconds


def _client(sql: str, queries: Float32) -> None:
    with engine("reader").connect() as connection:
        _ask(connection, sql, queries)


def _filtered(
    encoder_id: int,
    vectors: Float32,
    queries: Float32,
    ids: np.ndarray,
    share: str,
    labels: int,
) -> list[tuple[str, float, str]]:
    """Return recall and time of searches among the references with one label."""
    kept = np.flatnonzero(ids % labels == 3)
    expected = ids[kept[_exact(vectors[kept], queries)]]
    sql = _NEAREST.format(encoder_id, f"AND t.labels ->> '{share}' = '3'")
    with engine("reader").connect() as reader:
        reader.execute(text("SET LOCAL enable_sort = off"))
        milliseconds, found = _ask(reader, sql, queries)
    return [
        (f"search, HNSW, label of {share}: recall", _recall(found, expected), ""),
        (f"search, HNSW, label of {share}: median", float(np.median(milliseconds)), "ms"),
    ]


def _halfvec(
    encoder_id: int, queries: Float32, expected: np.ndarray
) -> list[tuple[str, float, str]]:
    """Return build, size, recall and time with an index of halfvec, reordered by the vectors."""
    close_engines()
    with engine("owner").connect() as owner:
        owner.execution_options(isolation_level="AUTOCOMMIT")
        owner.execute(text(f"DROP INDEX mirpipe.embedding_{encoder_id}_hnsw"))
        statement = text(_HALFVEC.format(encoder_id, DIMENSION))
        build = measure_seconds(lambda: owner.execute(statement))
        size = owner.execute(text("SELECT pg_relation_size('mirpipe.half')")).scalar_one()
    with engine("reader").connect() as reader:
        seconds, found = _ask(reader, _NEAREST_HALFVEC.format(encoder_id, DIMENSION), queries)
    return [
        ("search, halfvec: build", build, "s"),
        ("search, halfvec: size", size / 1e6, "MB"),
        ("search, halfvec: recall of the ten nearest", _recall(found, expected), ""),
        ("search, halfvec: median", float(np.median(seconds)), "ms"),
        ("search, halfvec: 95% of the queries", float(np.percentile(seconds, 95)), "ms"),
    ]
