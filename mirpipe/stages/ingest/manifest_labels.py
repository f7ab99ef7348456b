"""Updates the titles and labels of tracks from the manifest."""

from collections.abc import Mapping

from more_itertools import batched

from mirpipe.db.engine import engine
from mirpipe.db.store import tracks
from mirpipe.library.manifest_matching import ManifestRow
from mirpipe.library.title_from_file_name import title_from_file_name
from mirpipe.stages.ingest.ingest_job import PAGE_FILES, IngestJob


def apply_manifest(job: IngestJob) -> list[ManifestRow]:
    """Update titles and labels from the manifest, and return the rows that match no file.

    A track without a row keeps its title and labels. The audio is not read.
    """
    if job.manifest is None:
        return []
    labels: dict[int, tuple[str, Mapping[str, str]]] = {}
    for path, track_id in job.files.existing_files():
        row = job.manifest_row(path)
        if row is not None:
            # If several files have the same content, the manifest row of the first file is used.
            title = row.title or title_from_file_name(path)
            labels.setdefault(track_id, (title, row.labels))
    for page in batched(list(labels), PAGE_FILES):
        with engine("app").begin() as connection:
            changes = {track_id: labels[track_id] for track_id in page}
            job.counts["relabelled"] += tracks.update_labels(
                connection, changes, labels_from="manifest"
            )
    return [row for row in job.manifest.rows if row.line not in job.matched_lines]
