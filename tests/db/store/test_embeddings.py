"""The time per track of each encoder, by which tasks are planned."""

from sqlalchemy import text

from mirpipe.db.store.embeddings import seconds_per_track
from tests.support.databases import Database
from tests.support.synthetic_library import SyntheticLibrary


def test_the_time_per_track_is_that_of_the_last_computed_batches(fresh_database: Database) -> None:
    library = SyntheticLibrary(fresh_database.app)  # It has an empty batch.
    SyntheticLibrary(fresh_database.app, name="not_measured")
    library.execute(
        "INSERT INTO mirpipe.embedding_batch (encoder_id, device, versions, tracks, seconds) "
        "SELECT encoder_id, 'cpu', '{}', 10, CASE WHEN n <= 50 THEN 1000 ELSE 20 END "
        "FROM mirpipe.encoder, generate_series(1, 150) n WHERE name = 'made_up'"
    )
    library.execute(
        "INSERT INTO mirpipe.embedding_batch (encoder_id, tracks, is_imported) "
        "SELECT encoder_id, 10, true FROM mirpipe.encoder"
    )
    with fresh_database.app.connect() as connection:
        assert seconds_per_track(connection) == {"made_up": 2.0}
        connection.execute(text("UPDATE mirpipe.encoder SET wanted = false"))
        assert seconds_per_track(connection) == {}
