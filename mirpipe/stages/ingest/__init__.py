"""Ingest: updates the tracks of a collection to match the audio files in its folders.

A file is not read again while its size and times stay the same. If a file's content was
measured before, even in another file, the file is hashed but not decoded. A file that cannot be
used is recorded in the failure ledger, and is skipped until it changes.
"""

from mirpipe.stages.ingest.ingest_folders import ingest
from mirpipe.stages.ingest.ingest_job import IngestResult

__all__ = ["IngestResult", "ingest"]
