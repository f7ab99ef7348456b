"""Cosine moments of an empty library, and moments that do not match the stored vectors."""

import pytest
from sqlalchemy import text

from mirpipe.db.store import cosine_moments
from mirpipe.errors import DatabaseError
from mirpipe.stages.retrieve import retrieve
from tests.support.synthetic_library import SyntheticLibrary


def test_no_references_give_no_means(fresh_database):
    library = SyntheticLibrary(fresh_database.app)
    library.add("target", "t", [1, 0, 0])
    retrieve()
    with library.app.connect() as connection:
        targets = cosine_moments.read_target_cosines(connection, library.encoder_id)
    assert targets.n == 0
    assert (len(targets.target_ids), len(targets.mean), len(targets.sd)) == (0, 0, 0)


def test_a_vector_that_was_deleted_without_the_trigger_is_noticed(fresh_database):
    library = SyntheticLibrary(fresh_database.app)
    for content in range(3):
        library.add("reference", content, [1, content, content % 3])
    retrieve()
    with fresh_database.owner.begin() as owner:
        owner.execute(text("ALTER TABLE mirpipe.embedding DISABLE TRIGGER USER"))
        owner.execute(text("DELETE FROM mirpipe.embedding"))
    library.execute("UPDATE mirpipe.track SET state = 'gone'")
    with pytest.raises(DatabaseError, match="mirpipe retrieve --rebuild"):
        retrieve()
    retrieve(rebuild=True)
    assert library.rows("SELECT n FROM mirpipe.background_moment") == []
