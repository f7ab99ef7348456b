"""Files that an earlier version rejected, although they can be used now, are read again."""

import os
import struct
from pathlib import Path

from sqlalchemy import text

from mirpipe.db.migrate import downgrade, migrate
from mirpipe.stages.ingest import ingest
from tests.migrations.queries import rows
from tests.support.databases import Database
from tests.support.encoded_audio import encode

REJECTED = """
    INSERT INTO mirpipe.track_file (collection, path, path_text, bytes, mtime_ns, reason)
    VALUES ('reference', :path, :path_text, :bytes, :mtime_ns, :reason)
"""
FAILURE = """
    INSERT INTO mirpipe.failure (stage, subject, reason, message, retry)
    VALUES ('ingest', :subject, :reason, 'old message', false)
"""


def test_a_file_that_an_earlier_version_rejected_is_read_again(
    fresh_database: Database, tmp_path: Path
) -> None:
    content = encode("WAV")
    at = content.index(b"data") + 4
    piped, empty = tmp_path / "piped.wav", tmp_path / "empty.wav"
    piped.write_bytes(content[:at] + struct.pack("<I", 0xFFFFFFFF) + content[at + 4 :])
    empty.write_bytes(b"")
    downgrade("0024")
    with fresh_database.app.begin() as connection:
        for path, reason in ((piped, "absurd_header"), (empty, "empty")):
            status = path.stat()
            connection.execute(
                text(REJECTED),
                {
                    "path": os.fsencode(path),
                    "path_text": str(path),
                    "bytes": status.st_size,
                    "mtime_ns": status.st_mtime_ns,
                    "reason": reason,
                },
            )
            connection.execute(text(FAILURE), {"subject": str(path), "reason": reason})
    migrate()
    result = ingest([tmp_path], collection="reference")
    assert (result.added, result.rejected) == (1, 1)
    assert rows(fresh_database, "SELECT reason FROM mirpipe.failure") == [("empty",)]
