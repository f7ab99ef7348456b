"""Match scores are summarised, and new scores lead to a new run if a summary changes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text

from mirpipe.db.store.content_digest import digests
from mirpipe.stages import embed as embed_stage
from mirpipe.stages import score as stage
from mirpipe.stages.report import report
from mirpipe.stages.retrieve import retrieve
from tests.support.audio_files import ingest_folder, tones
from tests.support.databases import Database

pytestmark = pytest.mark.usefixtures("_tiny_encoder", "_fake_track_metrics")

AXES = ["aesthetics_ce", "aesthetics_cu", "aesthetics_pc", "aesthetics_pq"]


@pytest.fixture
def reported(fresh_database: Database, tmp_path: Path) -> Database:
    """A published run with two targets and three references. No track is scored."""
    tones(tmp_path / "references", [200, 800, 3000])
    tones(tmp_path / "targets", [210, 790])
    ingest_folder(tmp_path / "references", "reference")
    ingest_folder(tmp_path / "targets", "target")
    embed_stage.plan(["tiny"], batch_tracks=9)
    embed_stage.embed(["tiny"], batch_tracks=9)
    retrieve()
    report(trigger="test")
    return fresh_database


def query(database: Database, sql: str) -> list[tuple]:
    with database.reader.connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql))]


def score(titles: Sequence[str], database: Database) -> None:
    stage.plan(["tasteful"], batch_tracks=9)
    with database.reader.connect() as connection:
        rows = connection.execute(
            text("SELECT track_id FROM mirpipe.track WHERE title = ANY(:titles)"),
            {"titles": list(titles)},
        )
        stage.score("tasteful", list(rows.scalars()), batch_tracks=9)


def test_a_run_without_models_has_no_aesthetics(reported: Database) -> None:
    metrics = query(reported, "SELECT metric FROM mirpipe.v_retrieval_summary")
    assert len(metrics) == 5
    assert not any("aesthetics" in metric for (metric,) in metrics)


def test_the_summary_is_mean_and_sd_over_best_matches_on_each_axis(reported: Database) -> None:
    score(["200 Hz", "800 Hz", "3000 Hz"], reported)
    assert report(trigger="scored").changed
    values = query(
        reported,
        "SELECT ce FROM mirpipe.v_retrieval v "
        "JOIN mirpipe.v_aesthetics a ON a.track_id = v.reference_id WHERE rank = 1",
    )
    rows = query(
        reported,
        "SELECT metric, n, undefined_n, mean, sd FROM mirpipe.v_retrieval_summary "
        "WHERE metric LIKE 'aesthetics%' ORDER BY metric",
    )
    assert [row[0] for row in rows] == AXES
    assert rows[0][1:3] == (2, 0)
    np.testing.assert_allclose(rows[0][3:], [np.mean(values), np.std(values)], rtol=1e-9)
    assert rows[3][3:] == (10.0, 0.0)


def test_a_match_without_a_score_is_counted_as_undefined(reported: Database) -> None:
    score(["200 Hz"], reported)
    report(trigger="scored in part")
    assert query(
        reported,
        "SELECT n, undefined_n FROM mirpipe.v_retrieval_summary WHERE metric = 'aesthetics_pq'",
    ) == [(1, 1)]


def test_a_score_makes_a_new_run_only_if_it_changes_a_summary(reported: Database) -> None:
    score([], reported)
    assert report(trigger="a model is configured").changed
    score(["3000 Hz", "210 Hz"], reported)
    assert not report(trigger="no best match is scored").changed
    score(["200 Hz"], reported)
    assert report(trigger="a best match is scored").changed
    assert not report(trigger="nothing new").changed


def test_a_model_that_is_no_longer_configured_changes_nothing(reported: Database) -> None:
    score(["200 Hz", "800 Hz"], reported)
    report(trigger="scored")
    stage.plan([], batch_tracks=9)
    assert not report(trigger="not configured").changed


def test_the_digest_depends_on_scores_but_not_on_the_machine(reported: Database) -> None:
    def digest() -> dict[str, str]:
        with reported.app.connect() as connection:
            return digests(connection)

    score(["200 Hz"], reported)
    before = digest()
    with reported.app.begin() as connection:
        connection.execute(text("UPDATE mirpipe.score_batch SET device = 'other', seconds = 9"))
    assert digest() == before
    with reported.app.begin() as connection:
        connection.execute(
            text("UPDATE mirpipe.track_score SET value = value * (1 + 3e-16) WHERE value > 0")
        )
    changed = digest()
    assert {name for name in before if before[name] != changed[name]} == {"track_score"}
