"""Stops ingest if a folder is missing or has lost all its files.

The cause may be that its disk is not mounted.
"""

import os
from pathlib import Path

from mirpipe.errors import ConfigurationError
from mirpipe.files.printable_path import printable_path
from mirpipe.library.folder_scan import is_inside
from mirpipe.stages.ingest.ingest_job import IngestJob


def require_folders(job: IngestJob) -> None:
    """Raise ConfigurationError if a folder of the run does not exist or has lost all its files."""
    for root in job.roots:
        if any(is_inside(path, root) for path in job.listing.candidates):
            continue
        known = sum(
            is_inside(path, root)
            for path, file in job.known_files.items()
            if file.track_id is not None and not file.gone
        )
        name = printable_path(root)
        if known:
            raise ConfigurationError(
                f"The folder {name} contained {known} tracks and is now empty. Mount its disk. If "
                "the tracks are deleted for good, ingest with --allow-empty (allow_empty=True)."
            )
        if not Path(os.fsdecode(root)).exists():
            raise ConfigurationError(f"The folder {name} does not exist. Check the path.")
