"""The mean similarity at each rank equals the mean computed from the view v_retrieval."""

import pytest
from sqlalchemy import text

from mirpipe.db import queries
from tests.dashboard.example_library import fill
from tests.dashboard.open_page import MODELS, PIECES
from tests.support.databases import Database


def test_similarity_by_rank_is_the_mean_over_the_matches_of_a_rank(
    fresh_database: Database,
) -> None:
    with fresh_database.app.begin() as connection:
        fill(connection, PIECES, MODELS)
    query = (
        "SELECT encoder, rank, count(*), avg(cosine), avg(z), avg(percentile) "
        "FROM mirpipe.v_retrieval GROUP BY encoder, rank ORDER BY encoder, rank"
    )
    with fresh_database.reader.connect() as connection:
        expected_rows = connection.execute(text(query)).all()
    rows = [
        (row.encoder, row.rank, row.n, row.cosine, row.z, row.percentile)
        for row in queries.similarity_by_rank()
    ]
    assert len(rows) == 4 * len(MODELS)
    for row, expected in zip(sorted(rows), expected_rows, strict=True):
        assert row[:3] == tuple(expected[:3])
        assert row[3:] == pytest.approx(tuple(expected[3:]))
