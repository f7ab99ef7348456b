"""Builds and drops the HNSW indexes, with which the search does not compare all references.

Stored match lists do not use these indexes: they are exact. An index of an encoder revision has the
name embedding_<encoder_id>_hnsw.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, text

from mirpipe.db.engine import engine
from mirpipe.db.named_locks import hold_lock
from mirpipe.errors import ConfigurationError

MANY_REFERENCES = 20_000
"""Number of references from which on an index is useful. Below it, comparing all is as fast."""
MAX_DIMENSION = 2000
"""The highest dimension for which pgvector can build an HNSW index."""
LINKS = 16
"""The parameter m of HNSW: the number of links per vector and layer."""
CANDIDATES = 100
"""The parameter ef_construction of HNSW: the number of candidates for the links of a new vector."""
POLL_SECONDS = 1.0

_STATES = text("""
    SELECT e.encoder_id, e.name AS encoder, e.revision, e.dimension,
        (SELECT count(*) FROM mirpipe.embedding v
            WHERE v.encoder_id = e.encoder_id AND v.collection = 'reference') AS reference_count,
        i.indexrelid IS NOT NULL AS exists, coalesce(i.indisvalid, false) AS is_valid,
        coalesce(pg_relation_size(i.indexrelid), 0) AS bytes
    FROM mirpipe.encoder e LEFT JOIN mirpipe.serving_revision s USING (encoder_id)
    LEFT JOIN pg_index i
        ON i.indexrelid = to_regclass(format('mirpipe.embedding_%s_hnsw', e.encoder_id))
    WHERE e.wanted OR s.encoder_id IS NOT NULL
    ORDER BY e.name, s.encoder_id IS NOT NULL DESC
""")
_BUILD = """
    CREATE INDEX CONCURRENTLY embedding_{encoder_id}_hnsw ON mirpipe.embedding_{encoder_id}
    USING hnsw ((embedding::public.vector({dimension})) public.vector_cosine_ops)
    WITH (m = {links}, ef_construction = {candidates}) WHERE collection = 'reference'
"""
_DROP = "DROP INDEX CONCURRENTLY IF EXISTS mirpipe.embedding_{encoder_id}_hnsw"
_STOP_WITHOUT_CLIENT = text("SET client_connection_check_interval = '5s'")
_CANCEL = text("SELECT pg_cancel_backend(:pid)")
_SET_MEMORY = text("SELECT set_config('maintenance_work_mem', :memory, false)")
_PROGRESS = text("SELECT tuples_done FROM pg_stat_progress_create_index WHERE pid = :pid")


@dataclass(frozen=True)
class SearchIndex:
    """The index of an active or configured encoder revision, or what it would be."""

    encoder_id: int
    encoder: str
    revision: str
    dimension: int
    reference_count: int
    exists: bool
    is_valid: bool
    """False also if the index does not exist, or if its construction was interrupted."""
    bytes: int
    """Disk space of the index; 0 if it does not exist."""

    @property
    def is_possible(self) -> bool:
        """Whether pgvector can build an index for vectors of this dimension."""
        return self.dimension <= MAX_DIMENSION

    @property
    def is_missing(self) -> bool:
        """Whether searches compare so many references that an index is useful."""
        return self.is_possible and not self.is_valid and self.reference_count >= MANY_REFERENCES


def search_indexes(connection: Connection) -> list[SearchIndex]:
    """Return the index of each active or configured encoder revision, sorted by encoder."""
    return [SearchIndex(**row) for row in connection.execute(_STATES).mappings()]


def build_search_index(
    index: SearchIndex,
    *,
    memory: str | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> None:
    """Build the index, unless another process has just built it.

    Vectors can be read and written meanwhile. `memory` is a size such as 4GB that the server uses
    instead of its maintenance_work_mem. If the graph does not fit into it, the build takes several
    times as long. If the process is interrupted or killed, the server stops the build and leaves an
    invalid index, which the next call replaces. Raises ConfigurationError if pgvector cannot build
    an index for this dimension.
    """
    if not index.is_possible:
        raise ConfigurationError(
            f"{index.encoder} has {index.dimension} dimensions, and an index supports at most "
            f"{MAX_DIMENSION}. Its searches compare all references."
        )
    statement = _BUILD.format(
        encoder_id=index.encoder_id,
        dimension=index.dimension,
        links=LINKS,
        candidates=CANDIDATES,
    )
    with hold_lock(f"search index {index.encoder_id}"), _owner() as connection:
        if any(found.is_valid for found in search_indexes(connection) if _is_same(found, index)):
            return
        connection.execute(text(_DROP.format(encoder_id=index.encoder_id)))
        connection.execute(_STOP_WITHOUT_CLIENT)
        if memory:
            connection.execute(_SET_MEMORY, {"memory": memory})
        _run_with_progress(connection, statement, index.reference_count, progress)


def _is_same(found: SearchIndex, index: SearchIndex) -> bool:
    return found.encoder_id == index.encoder_id


def drop_search_index(index: SearchIndex) -> None:
    """Drop the index, if it exists. Searches then compare all references."""
    with _owner() as connection:
        connection.execute(text(_DROP.format(encoder_id=index.encoder_id)))


@contextmanager
def _owner() -> Iterator[Connection]:
    """Yield a session of its own, outside a transaction, as CONCURRENTLY requires."""
    with engine("owner").connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.detach()  # Changed settings end with the session.
        yield connection


def _run_with_progress(
    connection: Connection, statement: str, total: int, progress: Callable[[int, int], None]
) -> None:
    """Run the statement, and call `progress` every second with the number of indexed vectors."""
    pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    with ThreadPoolExecutor(1) as thread, _owner() as observer:
        build = thread.submit(connection.execute, text(statement))
        try:
            while wait([build], POLL_SECONDS).not_done:
                done = observer.execute(_PROGRESS, {"pid": pid}).scalar_one_or_none()
                progress(min(done or 0, total), total)
        finally:
            if not build.done():  # for example after Ctrl-C
                with _owner() as canceller:
                    canceller.execute(_CANCEL, {"pid": pid})
    build.result()
    progress(total, total)
