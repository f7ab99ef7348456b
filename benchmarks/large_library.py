"""A made-up library of any size on a database server of its own."""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from sqlalchemy import Connection, text

from mirpipe.db.embedded_server import embedded_server
from mirpipe.db.engine import engine, forget_engines
from mirpipe.db.migrate import migrate
from mirpipe.db.store import binary_copy
from mirpipe.records import Collection, Float32
from mirpipe.settings import settings


@contextmanager
def throw_away_server() -> Iterator[None]:
    """A migrated server that the settings name while the context is open; gone afterwards."""
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
            embedded_server(Path(name)).down()
            os.environ.clear()
            os.environ.update(before)
            settings.cache_clear()


def clustered(random: np.random.Generator, centres: np.ndarray, n: int) -> Float32:
    """Unit vectors, shape (n, D), strewn around the centres (m, D)."""
    rows = centres[random.integers(len(centres), size=n)]
    rows = rows + 0.7 * random.standard_normal(rows.shape)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def register(dimension: int) -> int:
    """The id of a new encoder of that dimension."""
    with engine("app").begin() as connection:
        register = text("SELECT mirpipe.register_encoder('bench', '1', :dimension, '{}')")
        return int(connection.execute(register, {"dimension": dimension}).scalar_one())


def add(encoder_id: int, collection: Collection, vectors: Float32) -> None:
    """Writes a new track for each vector, and the vector."""
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
        binary_copy.copy_rows(
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


def seconds(work: object) -> float:
    """How long a call without arguments takes, by the clock."""
    assert callable(work)
    started = time.monotonic()
    work()
    return time.monotonic() - started
