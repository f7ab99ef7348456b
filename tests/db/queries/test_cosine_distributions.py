"""Tests of the histograms of cosines and z."""

from pathlib import Path

import numpy as np
from sqlalchemy import text

from mirpipe.db.queries.cosine_distributions import BINS, HistogramBin, cosine_distributions
from tests.dashboard.example_library import Model, Piece, fill
from tests.support.databases import Database

REFERENCES = tuple(Piece("reference", f"r{number}", Path(f"/r{number}.ogg")) for number in range(6))
MODELS = (Model("aaa", 0.5, 0.1), Model("zzz", 0.2, 0.1))


def histogram(encoder: str, quantity: str) -> list[HistogramBin]:
    return [
        row for row in cosine_distributions() if (row.encoder, row.quantity) == (encoder, quantity)
    ]


def test_the_bins_contain_the_values_of_the_latest_run(fresh_database: Database) -> None:
    targets = tuple(Piece("target", f"t{number}", Path(f"/t{number}.ogg")) for number in range(9))
    with fresh_database.app.begin() as connection:
        fill(connection, targets + REFERENCES, MODELS)
        rows = connection.execute(
            text("SELECT encoder, z FROM mirpipe.v_retrieval WHERE counted_rank = 1")
        ).all()
        stored = connection.execute(
            text("SELECT background_cosines FROM mirpipe.run_encoder ORDER BY encoder_id LIMIT 1")
        ).scalar_one()
    for quantity, values in (
        ("z", [row.z for row in rows if row.encoder == "aaa"]),
        ("cosine", stored),
    ):
        counts, edges = np.histogram(values, bins=BINS)
        bins = histogram("aaa", quantity)
        assert [round(row.share * row.n) for row in bins] == [n for n in counts if n]
        assert {row.n for row in bins} == {len(values)}
        np.testing.assert_allclose([row.low for row in bins], edges[:-1][counts > 0])
        np.testing.assert_allclose([row.high for row in bins], edges[1:][counts > 0])


def test_one_value_has_no_histogram(fresh_database: Database) -> None:
    assert cosine_distributions() == []
    with fresh_database.app.begin() as connection:
        fill(connection, (Piece("target", "t"), *REFERENCES), MODELS)
    assert histogram("zzz", "z") == []
    assert len(histogram("zzz", "cosine")) > 10
