"""Neighbour lists all anew, after one percent more references, and by SQL, on its own server."""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from sqlalchemy import Connection, text

from mirpipe.db.embedded import EmbeddedPostgres
from mirpipe.db.engine import engine, forget_engines
from mirpipe.db.migrate import migrate
from mirpipe.db.store import copy
from mirpipe.records import Collection, Float32
from mirpipe.settings import settings
from mirpipe.stages.retrieve import retrieve

TARGETS, REFERENCES, DIMENSION = 500, 20_000, 512
NEW = REFERENCES // 100

_LATERAL = """
    SELECT count(*) FROM mirpipe.v_embedding_{0} t CROSS JOIN LATERAL (
        SELECT r.track_id FROM mirpipe.v_embedding_{0} r WHERE r.collection = 'reference'
        ORDER BY r.embedding <=> t.embedding LIMIT 10) n
    WHERE t.collection = 'target'
"""


def run() -> list[tuple[str, float, str]]:
    """Name, value and unit of each measurement; takes half a minute."""
    size = f"{TARGETS} targets × {REFERENCES:,} references × {DIMENSION}"
    random = np.random.default_rng(0)
    centres = random.standard_normal((200, DIMENSION))
    with _throw_away_server():
        encoder_id = _register()
        _add(encoder_id, "target", _clustered(random, centres, TARGETS))
        _add(encoder_id, "reference", _clustered(random, centres, REFERENCES))
        full = _seconds(retrieve)
        _add(encoder_id, "reference", _clustered(random, centres, NEW))
        more = _seconds(retrieve)
        nothing = _seconds(retrieve)
        rebuilt = _seconds(lambda: retrieve(rebuild=True))
        with engine("app").connect() as connection:
            query = text(_LATERAL.format(encoder_id))
            lateral = _seconds(lambda: connection.execute(query).scalar_one())
    return [
        (f"retrieve, first time, {size}", full, "s"),
        (f"retrieve, all lists anew, {size}", rebuilt, "s"),
        (f"retrieve, {NEW} new references", more, "s"),
        ("retrieve, all lists anew ÷ 1 % new references", rebuilt / more, "×"),
        ("retrieve, nothing new", nothing, "s"),
        (f"exact top 10 by SQL LATERAL, {size}", lateral, "s"),
        ("SQL LATERAL ÷ retrieve, all lists anew", lateral / rebuilt, "×"),
    ]


@contextmanager
def _throw_away_server() -> Iterator[None]:
    before = os.environ.copy()
    with tempfile.TemporaryDirectory(prefix="mirpipe-bench-", dir="/tmp") as name:
        Path(name).chmod(0o755)  # root's server runs as another user
        for variable in [name for name in os.environ if name.startswith("MIRPIPE_")]:
            del os.environ[variable]
        os.environ["MIRPIPE_HOME"] = name
        settings.cache_clear()
        forget_engines()
        try:
            migrate()
            yield
        finally:
            forget_engines()
            EmbeddedPostgres(Path(name)).down()
            os.environ.clear()
            os.environ.update(before)
            settings.cache_clear()


def _clustered(random: np.random.Generator, centres: np.ndarray, n: int) -> Float32:
    rows = centres[random.integers(len(centres), size=n)]
    rows = rows + 0.7 * random.standard_normal(rows.shape)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def _register() -> int:
    with engine("app").begin() as connection:
        register = text("SELECT mirpipe.register_encoder('bench', '1', :dimension, '{}')")
        return int(connection.execute(register, {"dimension": DIMENSION}).scalar_one())


def _add(encoder_id: int, collection: Collection, vectors: Float32) -> None:
    n = len(vectors)
    with engine("app").begin() as connection:
        known = connection.execute(text("SELECT count(*) FROM mirpipe.track")).scalar_one()
        batch_id = connection.execute(
            text(
                "INSERT INTO mirpipe.embedding_batch "
                "(encoder_id, device, versions, tracks, seconds) "
                "VALUES (:encoder_id, 'none', '{}', :n, 0) RETURNING batch_id"
            ),
            {"encoder_id": encoder_id, "n": n},
        ).scalar_one()
        copy.copy_rows(
            connection,
            "mirpipe.embedding",
            ["encoder_id", "track_id", "collection", "batch_id", "embedding"],
            [[encoder_id] * n, _tracks(connection, collection, known, n), [collection] * n,
             [batch_id] * n, vectors],
        )  # fmt: skip
    with engine("owner").connect().execution_options(isolation_level="AUTOCOMMIT") as owner:
        owner.execute(text("VACUUM ANALYZE"))


def _tracks(connection: Connection, collection: Collection, known: int, n: int) -> list[int]:
    made = connection.execute(
        text(
            "INSERT INTO mirpipe.track "
            "(collection, content_sha256, title, seconds, rms_dbfs, state) "
            "SELECT :collection, sha256(convert_to(CAST(i AS text), 'UTF8')), i, 1, -20, 'ok' "
            "FROM generate_series(CAST(:known AS integer) + 1, :known + :n) i RETURNING track_id"
        ),
        {"collection": collection, "known": known, "n": n},
    )
    return list(made.scalars())


def _seconds(work: object) -> float:
    assert callable(work)
    started = time.monotonic()
    work()
    return time.monotonic() - started
