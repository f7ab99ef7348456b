"""Stops ingest if a folder is missing or has lost all its files.

The cause may be that its disk is not mounted.
"""

from pathlib import Path

from mirpipe.errors import ConfigurationError
from mirpipe.files.addresses import parse_address
from mirpipe.files.printable_path import printable_path
from mirpipe.stages.ingest.ingest_job import IngestJob


def require_folders(job: IngestJob) -> None:
    """Raise ConfigurationError if a folder of the run does not exist or has lost all its files."""
    for root in job.roots:
        has_files, stored = job.files.root_counts(root)
        if has_files:
            continue
        name = printable_path(root)
        if stored:
            raise ConfigurationError(
                f"The folder {name} contained {stored} tracks and is now empty. Mount its disk, or "
                "check the name of its bucket. If the tracks are deleted for good, ingest with "
                "--allow-removal (allow_removal=True)."
            )
        address = parse_address(root)
        if isinstance(address, Path) and not address.exists():
            raise ConfigurationError(f"The folder {name} does not exist. Check the path.")
