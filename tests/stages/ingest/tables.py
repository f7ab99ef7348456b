"""Read and check the tables that ingest writes."""

from pathlib import Path

from sqlalchemy import text

from mirpipe.stages.ingest import IngestResult, ingest
from tests.support.databases import Database

Rows = list[tuple[object, ...]]


def query(database: Database, sql: str) -> Rows:
    with database.reader.connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql))]


def tables(database: Database, *, with_times: bool = True) -> list[Rows]:
    """Return all rows that ingest has written, without ids, attempts and times of writing.

    The modification times of files can be left out. Their ctimes are always left out.
    """
    mtime = "mtime_ns" if with_times else "NULL"
    return [
        query(
            database,
            "SELECT collection, content_sha256::text, title, labels::text, seconds, "
            "sample_rate, channels, rms_dbfs, state FROM mirpipe.track ORDER BY 1, 2",
        ),
        query(
            database,
            "SELECT f.collection, path::text, path_text, content_sha256::text, format, bytes, "
            f"{mtime}, f.reason, gone_at IS NULL FROM mirpipe.track_file f "
            "LEFT JOIN mirpipe.track t USING (track_id) ORDER BY 1, 2",
        ),
        query(
            database,
            "SELECT stage, subject, reason, message, retry FROM mirpipe.failure ORDER BY 2",
        ),
    ]


def states(database: Database) -> dict[str, str]:
    """Return the state of each track, by title."""
    return dict(query(database, "SELECT title, state FROM mirpipe.track"))  # type: ignore[arg-type]


def require_counts(result: IngestResult, **expected: int) -> None:
    """Check the counts of an ingest run. Every count that is not given must be 0."""
    counts = {name: count for name, count in vars(result).items() if count}
    assert counts == expected


def ingest_references(folder: Path, **options: object) -> IngestResult:
    return ingest([folder], collection="reference", **options)  # type: ignore[arg-type]
