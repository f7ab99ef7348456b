"""Answers by rank say what the view of answers says, averaged."""

import pytest
from sqlalchemy import text

from mirpipe.db.queries import encoder_comparison
from tests.dashboard.filled import fill
from tests.dashboard.pages import MODELS, PIECES
from tests.support.databases import Database


def test_depths_are_the_means_of_the_answers_of_a_rank(fresh_database: Database) -> None:
    with fresh_database.app.begin() as connection:
        fill(connection, PIECES, MODELS)
    query = (
        "SELECT encoder, rank, count(*), avg(cosine), avg(z), avg(percentile) "
        "FROM mirpipe.v_retrieval GROUP BY encoder, rank ORDER BY encoder, rank"
    )
    with fresh_database.reader.connect() as connection:
        expected = connection.execute(text(query)).all()
    found = [
        (one.encoder, one.rank, one.n, one.cosine, one.z, one.percentile)
        for one in encoder_comparison.depths()
    ]
    assert len(found) == 4 * len(MODELS)
    for one, other in zip(sorted(found), expected, strict=True):
        assert one[:3] == tuple(other[:3])
        assert one[3:] == pytest.approx(tuple(other[3:]))
