"""An encoder that was registered before 0019 can store long vectors after the migration."""

import pytest
from sqlalchemy.exc import OperationalError

from mirpipe.db.migrate import downgrade, migrate
from tests.support.databases import Database
from tests.support.synthetic_library import SyntheticLibrary


def test_long_vectors_of_an_existing_encoder_can_be_stored(fresh_database: Database) -> None:
    downgrade("0013")
    library = SyntheticLibrary(fresh_database.app, dimension=2048)
    track_id = library.add("reference", "long")
    with pytest.raises(OperationalError, match="row is too big"):
        library.set_vector(track_id, [1] * 2048)
    migrate()
    library.set_vector(track_id, [1] * 2048)
    dimensions = "SELECT vector_dims(embedding) FROM mirpipe.v_embedding_{}"
    assert library.rows(dimensions.format(library.encoder_id)) == [(2048,)]
    described = library.rows(
        "SELECT obj_description(CAST(:relation AS regclass), 'pg_class')",
        relation=f"mirpipe.v_embedding_{library.encoder_id}",
    )
    assert "one space only." in described[0][0]
