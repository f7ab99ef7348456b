"""The library fingerprint depends only on the library's content."""

from pathlib import Path

from mirpipe.orchestration.library_fingerprint import EMPTY_LIBRARY, library_fingerprint
from tests.support.audio_files import ingest_folder, tones
from tests.support.databases import Database


def test_the_fingerprint_changes_with_the_tracks_of_the_library(
    fresh_database: Database, tmp_path: Path
) -> None:
    def ingest() -> str:
        ingest_folder(tmp_path, "reference")
        return library_fingerprint()

    assert library_fingerprint() == EMPTY_LIBRARY
    tones(tmp_path, [300, 500])
    first = ingest()
    assert first == ingest() != EMPTY_LIBRARY
    (tmp_path / "300 Hz.wav").unlink()
    assert ingest() not in (first, EMPTY_LIBRARY)
    tones(tmp_path, [300])
    assert ingest() == first
