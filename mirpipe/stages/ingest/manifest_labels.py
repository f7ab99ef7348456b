"""Updates the titles and labels of tracks from the manifest."""

from collections.abc import Iterator

from more_itertools import batched

from mirpipe.db.engine import engine
from mirpipe.db.store import track_files
from mirpipe.library.manifest_matching import ManifestRow
from mirpipe.records import TitleAndLabels
from mirpipe.stages.ingest.ingest_job import PAGE_FILES, IngestJob


def apply_manifest(job: IngestJob) -> list[ManifestRow]:
    """Update titles and labels from the manifest, and return the rows that match no file.

    A file without a row keeps the row that was stored for it. The audio is not read.
    """
    if job.manifest is None:
        return []
    for page in batched(_changed_rows(job), PAGE_FILES):
        with engine("app").begin() as connection:
            rows = {path: row for path, _, row in page}
            track_files.write_manifest_rows(connection, job.collection, rows)
            job.update_tracks(connection, {track_id for _, track_id, _ in page})
    return [row for row in job.manifest.rows if row.line not in job.matched_lines]


def _changed_rows(job: IngestJob) -> Iterator[tuple[bytes, int, TitleAndLabels]]:
    """Yield path, track id and row of each file whose row differs from the stored row."""
    for path, track_id, stored in job.files.existing_files():
        row = job.manifest_row(path)
        if row is not None and stored != {"title": row.title, "labels": row.labels}:
            yield path, track_id, TitleAndLabels(row.title, row.labels)
