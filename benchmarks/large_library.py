"""Creates a temporary database server and fills it with a synthetic library of any size."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from sqlalchemy import Connection, text

from mirpipe.db.embedded_server_roles import embedded_server
from mirpipe.db.engine import close_engines, engine
from mirpipe.db.migrate import migrate
from mirpipe.db.store import binary_copy
from mirpipe.records import Collection, Float32
from mirpipe.settings import settings


@contextmanager
def temporary_server() -> Iterator[None]:
    """Start a new server with a migrated database, and use it in the settings inside the context.

    The server and its data are deleted afterwards.
    """
    before = os.environ.copy()
    with tempfile.TemporaryDirectory(prefix="mirpipe-bench-", dir="/tmp") as name:
        # If this process runs as root, the server must run as another user.
        Path(name).chmod(0o755)
        for variable in [name for name in os.environ if name.startswith("MIRPIPE_")]:
            del os.environ[variable]
        try:
            with kept_server(Path(name)):
                yield
        finally:
            os.environ.clear()
            os.environ.update(before)
            settings.cache_clear()


@contextmanager
def kept_server(home: Path) -> Iterator[None]:
    """Use a database server in this home, and stop it afterwards. Its data are kept."""
    home.mkdir(parents=True, exist_ok=True)
    os.environ["MIRPIPE_HOME"] = str(home)
    settings.cache_clear()
    close_engines()
    try:
        migrate()
        yield
    finally:
        close_engines()
        embedded_server(home).down()


def clustered_vectors(random: np.random.Generator, centres: np.ndarray, n: int) -> Float32:
    """Return random unit vectors around the centres: shapes (n, D) and (m, D)."""
    rows = centres[random.integers(len(centres), size=n)]
    rows = rows + 0.7 * random.standard_normal(rows.shape)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def register_encoder(dimension: int, name: str = "bench") -> int:
    """Register an encoder whose vectors have this dimension. Return the encoder's id."""
    with engine("app").begin() as connection:
        statement = text("SELECT mirpipe.register_encoder(:name, '1', :dimension, '{}')")
        parameters = {"name": name, "dimension": dimension}
        return int(connection.execute(statement, parameters).scalar_one())


def add_tracks(encoder_id: int, collection: Collection, vectors: Float32) -> None:
    """Write one new track for each vector, and the vector itself."""
    n = len(vectors)
    with engine("app").begin() as connection:
        existing = connection.execute(text("SELECT count(*) FROM mirpipe.track")).scalar_one()
        track_ids = _insert_tracks(connection, collection, existing, n)
        _insert_vectors(connection, encoder_id, collection, track_ids, vectors)
    _vacuum()


def add_vectors(
    encoder_id: int, collection: Collection, track_ids: Sequence[int], vectors: Float32
) -> None:
    """Write the vectors of existing tracks of one collection."""
    with engine("app").begin() as connection:
        _insert_vectors(connection, encoder_id, collection, track_ids, vectors)
    _vacuum()


def _insert_vectors(
    connection: Connection,
    encoder_id: int,
    collection: Collection,
    track_ids: Sequence[int],
    vectors: Float32,
) -> None:
    n = len(vectors)
    batch_id = connection.execute(
        text(
            "INSERT INTO mirpipe.embedding_batch (encoder_id, device, versions, tracks, seconds) "
            "VALUES (:encoder_id, 'none', '{}', :n, 0) RETURNING batch_id"
        ),
        {"encoder_id": encoder_id, "n": n},
    ).scalar_one()
    binary_copy.copy_rows(
        connection,
        "mirpipe.embedding",
        ["encoder_id", "track_id", "collection", "batch_id", "embedding"],
        [[encoder_id] * n, track_ids, [collection] * n, [batch_id] * n, vectors],
    )


def _vacuum() -> None:
    with engine("owner").connect().execution_options(isolation_level="AUTOCOMMIT") as owner:
        owner.execute(text("VACUUM ANALYZE"))


def _insert_tracks(
    connection: Connection, collection: Collection, existing: int, n: int
) -> list[int]:
    """Insert `n` tracks. Return their ids."""
    result = connection.execute(
        text(
            "INSERT INTO mirpipe.track "
            "(collection, content_sha256, title, seconds, rms_dbfs, state) "
            "SELECT :collection, sha256(convert_to(CAST(i AS text), 'UTF8')), i, 1, -20, 'ok' "
            "FROM generate_series(CAST(:existing AS integer) + 1, :existing + :n) i "
            "RETURNING track_id"
        ),
        {"collection": collection, "existing": existing, "n": n},
    )
    return list(result.scalars())


def measure_seconds(call: Callable[[], object]) -> float:
    """Return the wall-clock time of a call, in seconds."""
    started = time.monotonic()
    call()
    return time.monotonic() - started
