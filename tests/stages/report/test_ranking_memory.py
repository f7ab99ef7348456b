"""The memory of a run's rankings grows only by some numbers for each reference."""

import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from sqlalchemy import text

from benchmarks.large_library import add_tracks, clustered_vectors, register_encoder
from mirpipe.db.engine import engine
from mirpipe.db.store import track_labels
from mirpipe.stages.report import csls_accuracy, csls_reranking, full_rankings, fused_rankings
from mirpipe.stages.report.ranking_quality import insert_ranking_results
from mirpipe.statistics import csls, exact_top_k, full_ranking

SMALL, LARGE = 9_000, 18_000
"""Numbers of references."""
BYTES_PER_REFERENCE = 450
"""Ids, hashes, codes of labels, and copies while they are sorted. The labels, tags and hash of a
track have more than two kilobytes as objects of Python."""


@contextmanager
def peak_of_python() -> Iterator[list[int]]:
    """Yield a list, to which the peak of the memory of Python and numpy is added, in bytes."""
    peaks: list[int] = []
    tracemalloc.start()
    try:
        yield peaks
        peaks.append(tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()


def add_references(encoder_ids: list[int], n: int) -> None:
    """Add references with a genre, a work, an album and an artist of their own."""
    random = np.random.default_rng(n)
    centres = random.standard_normal((50, 8))
    add_tracks(encoder_ids[0], "reference", clustered_vectors(random, centres, n))
    with engine("app").begin() as connection:
        connection.execute(
            text(
                "UPDATE mirpipe.track SET labels = jsonb_build_object('genre', 'genre ' || "
                "track_id, 'work', 'work ' || track_id, 'album', 'album ' || track_id, "
                "'artist', 'artist ' || track_id)"
            )
        )
        for encoder_id in encoder_ids[1:]:
            connection.execute(
                text(
                    "INSERT INTO mirpipe.embedding "
                    "(encoder_id, track_id, collection, batch_id, embedding) "
                    "SELECT :encoder_id, track_id, collection, batch_id, embedding "
                    "FROM mirpipe.embedding WHERE encoder_id = :first ON CONFLICT DO NOTHING"
                ),
                {"encoder_id": encoder_id, "first": encoder_ids[0]},
            )


def peak_of_rankings() -> int:
    """Measure the rankings of a new run, and return the peak memory in bytes."""
    with engine("app").begin() as connection:
        run_id = connection.execute(
            text(
                "INSERT INTO mirpipe.run (trigger, state_digest, library) "
                "VALUES ('test', '', '{}') RETURNING run_id"
            )
        ).scalar_one()
        with peak_of_python() as peaks:
            insert_ranking_results(connection, run_id)
    return peaks[0]


@pytest.mark.usefixtures("fresh_database")
def test_a_reference_adds_no_python_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    # The arrays of a block are small, so that they are full in both libraries.
    for module, name, value in (
        (track_labels, "BLOCK_ROWS", 1_000),
        (full_ranking, "MAX_PRODUCTS", SMALL),
        (fused_rankings, "MAX_SCORES", SMALL),
        (full_rankings, "REFERENCE_QUERIES", 20),
        (csls, "_MAX_PRODUCTS", SMALL),
        (csls_reranking, "MAX_BASE", 1_000),
        (csls_accuracy, "MAX_REFERENCES", 200),
        (exact_top_k, "_MAX_TARGETS", 16),
    ):
        monkeypatch.setattr(module, name, value)
    encoder_ids = [register_encoder(8, name) for name in ("first", "second")]
    with engine("app").begin() as connection:
        for encoder_id, name in zip(encoder_ids, ("first", "second"), strict=True):
            connection.execute(
                text("INSERT INTO mirpipe.serving_revision VALUES (:name, :encoder_id)"),
                {"name": name, "encoder_id": encoder_id},
            )
    random = np.random.default_rng(0)
    targets = clustered_vectors(random, random.standard_normal((50, 8)), 20)
    add_tracks(encoder_ids[0], "target", targets)
    add_references(encoder_ids, SMALL)
    small = peak_of_rankings()
    add_references(encoder_ids, LARGE - SMALL)
    large = peak_of_rankings()
    assert (large - small) / (LARGE - SMALL) < BYTES_PER_REFERENCE
