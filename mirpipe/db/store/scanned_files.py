"""Compares the files that a scan has found with the stored files, inside the database.

The found files are loaded into a temporary table of one connection, so neither list is held in
memory. Postgres deletes the table when the connection is closed.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from more_itertools import batched
from sqlalchemy import Connection, text

from mirpipe.db.engine import engine
from mirpipe.db.store import binary_copy
from mirpipe.db.store.held_cursor import held_rows
from mirpipe.db.store.path_ranges import IN_RANGES, path_ranges
from mirpipe.records import Collection

_CREATE = text(
    "CREATE TEMPORARY TABLE scanned (path bytea NOT NULL, bytes bigint NOT NULL, "
    "mtime_ns bigint NOT NULL, ctime_ns bigint NOT NULL, reason text NOT NULL, "
    "message text NOT NULL, is_unlisted_folder boolean NOT NULL, etag text NOT NULL)"
)
_COLUMNS = (
    "path",
    "bytes",
    "mtime_ns",
    "ctime_ns",
    "reason",
    "message",
    "is_unlisted_folder",
    "etag",
)
_STORED_UNDER_ROOTS = f"mirpipe.track_file f {IN_RANGES} AND f.collection = %(collection)s"
# A file whose ctime is NULL has not been read by this version, or a stage has found other bytes.
# The times of an object do not matter: it can be written again with the same content.
_COMPARE = """
    CREATE TEMPORARY TABLE scan_outcome AS
    SELECT s.*, CASE
        WHEN f.path IS NULL THEN 'changed'
        WHEN s.reason <> '' AND s.reason IS DISTINCT FROM f.reason THEN 'changed'
        WHEN s.reason = '' AND (f.ctime_ns IS NULL OR s.bytes <> f.bytes
            OR s.etag IS DISTINCT FROM coalesce(f.etag, '')
            OR s.etag = '' AND (s.mtime_ns, s.ctime_ns) <> (f.mtime_ns, f.ctime_ns)
            OR (f.reason = ANY(%(retried)s) AND NOT coalesce(l.attempts > 1 AND now() < l.last_seen
                + least(%(longest_delay)s, %(first_delay)s * power(2, least(l.attempts, 30) - 2)),
                false))
            OR %(identify)s AND t.content_kind = 'file' AND t.state = 'ok') THEN 'changed'
        WHEN f.gone_at IS NOT NULL THEN 'returned'
        WHEN f.reason IS NOT NULL THEN 'rejected'
        ELSE 'unchanged' END AS outcome,
        f.path IS NULL OR f.gone_at IS NOT NULL AS was_missing
    FROM scanned s LEFT JOIN mirpipe.track_file f
        ON f.collection = %(collection)s AND f.path = s.path
    LEFT JOIN mirpipe.track t USING (track_id)
    LEFT JOIN mirpipe.failure l
        ON l.stage = 'ingest' AND l.revision = '' AND l.subject = f.path_text
"""
FIRST_DELAY = timedelta(minutes=15)
"""Time between the second and the third attempt to read a file. It doubles with each attempt."""
LONGEST_DELAY = timedelta(hours=6)
_COUNTS = text("SELECT outcome, count(*) FROM scan_outcome GROUP BY outcome")
_WITH_OUTCOME = (
    f"SELECT {', '.join(_COLUMNS)} FROM scan_outcome WHERE outcome = %(outcome)s ORDER BY path"
)
_ROOT_COUNTS = f"""
    SELECT EXISTS (SELECT FROM scan_outcome f {IN_RANGES}),
        (SELECT count(*) FROM {_STORED_UNDER_ROOTS}
            WHERE f.track_id IS NOT NULL AND f.gone_at IS NULL)
"""
_FIND_VANISHED = f"""
    CREATE TEMPORARY TABLE vanished AS
    SELECT f.path, f.track_id FROM {_STORED_UNDER_ROOTS}
    WHERE f.gone_at IS NULL
        AND NOT EXISTS (SELECT FROM scan_outcome s WHERE s.path = f.path)
        AND NOT EXISTS (SELECT FROM scan_outcome s WHERE s.is_unlisted_folder
            AND f.path >= s.path || '/' AND f.path < s.path || '0')
"""
# A track that was moved has lost a file, but it is not lost.
_FIND_LOST = text("""
    CREATE TEMPORARY TABLE lost AS
    SELECT v.path FROM vanished v WHERE v.track_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM mirpipe.track_file o WHERE o.track_id = v.track_id AND o.gone_at IS NULL
            AND NOT EXISTS (SELECT FROM vanished w WHERE w.path = o.path))
""")
_COUNT_LOST = text("SELECT count(*) FROM lost")
_KNOWN = f"""
    SELECT f.path, l.path IS NOT NULL FROM {_STORED_UNDER_ROOTS} LEFT JOIN lost l ON l.path = f.path
    WHERE f.track_id IS NOT NULL AND f.gone_at IS NULL
        AND NOT EXISTS (SELECT FROM scan_outcome s WHERE s.path = f.path AND s.was_missing)
    ORDER BY f.path
"""
_VANISHED = "SELECT path FROM vanished ORDER BY path"
_EXISTING = """
    SELECT f.path, f.track_id, f.manifest_row
    FROM mirpipe.track_file f JOIN scan_outcome s USING (path)
    WHERE f.collection = %(collection)s AND f.track_id IS NOT NULL ORDER BY f.path
"""
_BLOCK_ROWS = 8192


@dataclass(frozen=True)
class ScannedFile:
    """A file as the scan found it."""

    path: bytes
    """Absolute path."""
    size: int
    """Size in bytes."""
    mtime_ns: int
    """Modification time, in nanoseconds since 1970."""
    ctime_ns: int
    """Time of the last change of content or properties, in nanoseconds since 1970."""
    reason: str
    """Code of the reason why the file cannot be read. Empty if there is none."""
    message: str
    """Message for this reason, or an empty string."""
    is_unlisted_folder: bool
    """Whether this is a folder that could not be listed."""
    etag: str = ""
    """ETag of an object in S3. Empty for a local file."""


class FolderComparison:
    """The files found in the folders `roots`, compared with a collection's stored files."""

    def __init__(
        self, connection: Connection, collection: Collection, roots: Sequence[bytes]
    ) -> None:
        """`connection` holds the temporary tables, and commits each statement."""
        self._connection = connection
        self._parameters = {"collection": collection, **path_ranges(roots)}
        connection.execute(_CREATE)

    def compare(
        self,
        files: Iterable[ScannedFile],
        retried_reasons: Iterable[str] = (),
        *,
        identify: bool = False,
    ) -> None:
        """Load the found files, and compare them with the stored files.

        A file that was rejected for one of `retried_reasons` counts as changed after a delay, and
        if `identify` is true, also a file of a track whose audio is not identified.
        """
        for block in batched(files, _BLOCK_ROWS):
            columns = [
                [getattr(file, "size" if name == "bytes" else name) for file in block]
                for name in _COLUMNS
            ]
            binary_copy.copy_rows(self._connection, "scanned", _COLUMNS, columns)
        self._execute("ANALYZE scanned")
        self._execute(
            _COMPARE,
            retried=list(retried_reasons),
            identify=identify,
            first_delay=FIRST_DELAY,
            longest_delay=LONGEST_DELAY,
        )
        self._execute("DROP TABLE scanned")
        self._execute("ANALYZE scan_outcome")

    def started(self) -> datetime:
        """Return the time of the database."""
        now: datetime = self._connection.execute(text("SELECT now()")).scalar_one()
        return now

    def counts(self) -> dict[str, int]:
        """Return the number of files by outcome: changed, returned, rejected and unchanged."""
        rows = self._connection.execute(_COUNTS).all()
        return {str(row[0]): int(row[1]) for row in rows}

    def root_counts(self, root: bytes) -> tuple[bool, int]:
        """Return whether files were found in this root, and how many of its files are stored."""
        ((found, stored),) = self._rows(_ROOT_COUNTS, **path_ranges([root]))
        return found, stored

    def files(self, outcome: str) -> Iterator[ScannedFile]:
        """Yield the files with this outcome, sorted by path."""
        for path, *others in self._rows(_WITH_OUTCOME, outcome=outcome):
            yield ScannedFile(bytes(path), *others)

    def find_vanished(self) -> int:
        """Find the stored files that no longer exist, and return how many of them are lost.

        A vanished file is lost if its track has no other file. Files in a folder that could not be
        listed are left out.
        """
        self._execute(_FIND_VANISHED)
        self._execute("ANALYZE vanished")
        self._connection.execute(_FIND_LOST)
        return int(self._connection.execute(_COUNT_LOST).scalar_one())

    def known_files(self) -> Iterator[tuple[bytes, bool]]:
        """Yield the path of each file that existed before the scan, and whether it is lost.

        The paths are sorted.
        """
        for path, is_lost in self._rows(_KNOWN):
            yield bytes(path), is_lost

    def vanished_paths(self) -> Iterator[bytes]:
        """Yield the paths of the files that `find_vanished` has found, sorted."""
        for (path,) in self._rows(_VANISHED):
            yield bytes(path)

    def existing_files(self) -> Iterator[tuple[bytes, int, dict[str, Any] | None]]:
        """Yield the path, the track id and the stored manifest row of each file with a track.

        The files are sorted by path.
        """
        for path, track_id, manifest_row in self._rows(_EXISTING):
            yield bytes(path), track_id, manifest_row

    def _execute(self, statement: str, **parameters: object) -> None:
        self._connection.exec_driver_sql(statement, self._parameters | parameters)

    def _rows(self, query: str, **parameters: object) -> Iterator[tuple[Any, ...]]:
        for block in held_rows(
            query, self._parameters | parameters, block=_BLOCK_ROWS, connection=self._connection
        ):
            yield from block


@contextmanager
def folder_comparison(collection: Collection, roots: Sequence[bytes]) -> Iterator[FolderComparison]:
    """Yield an empty comparison. Its temporary tables are deleted when the context ends."""
    with engine("app").connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.detach()  # The connection is closed afterwards, and not used again.
        yield FolderComparison(connection, collection, roots)
