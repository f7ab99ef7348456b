"""Track paths can contain any bytes, and missing files are left out."""

import os

from sqlalchemy import text

from mirpipe.db import queries
from tests.support.databases import Database


def test_a_path_that_is_not_utf8_is_returned_unchanged(filled: Database) -> None:
    with filled.reader.connect() as connection:
        track_id = connection.execute(
            text("SELECT track_id FROM mirpipe.track WHERE title = 'near'")
        ).scalar_one()
    (file,) = queries.file_locations([track_id, 10**9])[track_id]
    assert os.fsencode(file.path) == b"/music/caf\xe9.wav"
    assert file.format == "WAV"


def test_files_that_are_gone_are_left_out(filled: Database) -> None:
    with filled.app.begin() as connection:
        connection.execute(text("UPDATE mirpipe.track_file SET gone_at = now()"))
    assert queries.file_locations([1, 2, 3]) == {}
