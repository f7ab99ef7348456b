"""A library from before 0032 knows the format of each file after the next ingest."""

import shutil
import subprocess
from pathlib import Path

import pytest

from mirpipe.db.migrate import downgrade, migrate
from mirpipe.stages.ingest import ingest
from tests.migrations.queries import rows
from tests.support import encoded_audio
from tests.support.databases import Database

FORMATS = "SELECT format FROM mirpipe.track_file ORDER BY path"


@pytest.mark.skipif(not encoded_audio.HAS_FFMPEG, reason="ffmpeg is not installed")
def test_formats_are_kept_where_they_are_certain(fresh_database: Database, tmp_path: Path) -> None:
    folder = tmp_path / "music"
    folder.mkdir()
    for seed in range(2):
        content = encoded_audio.encode("FLAC", encoded_audio.music(seed=seed))
        (folder / f"{seed}.flac").write_bytes(content)
    shutil.copy(folder / "0.flac", folder / "0 copy.flac")
    command = ["ffmpeg", "-v", "error", "-i", folder / "1.flac", "-c", "copy", "-f", "ogg"]
    subprocess.run([*command, folder / "1.oga"], check=True)
    ingest([folder], collection="reference")
    after = rows(fresh_database, FORMATS)
    assert after == [("FLAC",), ("FLAC",), ("FLAC",), ("OGG",)]
    downgrade("0031")
    tracks = rows(fresh_database, "SELECT format FROM mirpipe.track")
    assert tracks == [("FLAC",), ("FLAC",)]
    migrate()
    assert rows(fresh_database, FORMATS) == [("FLAC",), ("FLAC",), (None,), (None,)]
    result = ingest([folder], collection="reference")
    assert (result.unchanged, result.retagged, result.added) == (4, 0, 0)
    assert rows(fresh_database, FORMATS) == after
