"""Ingest: updates the tracks of a collection to match the audio files in its folders.

A file is not read again while its size and modification time stay the same. Content that was
measured before is hashed but not decoded, even if it is in another file. A file that cannot be
used is recorded in the failure ledger, and is skipped until it changes.
"""

from mirpipe.stages.ingest.ingest_folders import ingest
from mirpipe.stages.ingest.ingest_job import IngestResult

__all__ = ["IngestResult", "ingest"]
