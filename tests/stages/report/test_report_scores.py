"""Scores of the answers in a run: its summary, its digest, and when it makes a new run."""

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
def answered(fresh_database: Database, tmp_path: Path) -> Database:
    """Two targets and their first answers, of three references; nothing is scored."""
    tones(tmp_path / "references", [200, 800, 3000])
    tones(tmp_path / "targets", [210, 790])
    ingest_folder(tmp_path / "references", "reference")
    ingest_folder(tmp_path / "targets", "target")
    embed_stage.plan(["tiny"], batch_tracks=9)
    embed_stage.embed(["tiny"], batch_tracks=9)
    retrieve()
    report(trigger="test")
    return fresh_database


def ask(database: Database, query: str) -> list[tuple]:
    with database.reader.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def score(titles: Sequence[str], database: Database) -> None:
    stage.plan(["tasteful"], batch_tracks=9)
    with database.reader.connect() as connection:
        found = connection.execute(
            text("SELECT track_id FROM mirpipe.track WHERE title = ANY(:titles)"),
            {"titles": list(titles)},
        )
        stage.score("tasteful", list(found.scalars()), batch_tracks=9)


def test_a_run_without_models_says_nothing_of_aesthetics(answered: Database) -> None:
    metrics = ask(answered, "SELECT metric FROM mirpipe.v_retrieval_summary")
    assert len(metrics) == 5
    assert not any("aesthetics" in metric for (metric,) in metrics)


def test_the_summary_is_mean_and_sd_of_the_first_answers_on_each_axis(answered: Database) -> None:
    score(["200 Hz", "800 Hz", "3000 Hz"], answered)
    assert report(trigger="scored").changed
    values = ask(
        answered,
        "SELECT ce FROM mirpipe.v_retrieval v "
        "JOIN mirpipe.v_aesthetics a ON a.track_id = v.reference_id WHERE rank = 1",
    )
    rows = ask(
        answered,
        "SELECT metric, n, undefined_n, mean, sd FROM mirpipe.v_retrieval_summary "
        "WHERE metric LIKE 'aesthetics%' ORDER BY metric",
    )
    assert [row[0] for row in rows] == AXES
    assert rows[0][1:3] == (2, 0)
    np.testing.assert_allclose(rows[0][3:], [np.mean(values), np.std(values)], rtol=1e-9)
    assert rows[3][3:] == (10.0, 0.0)


def test_an_answer_that_is_not_scored_is_counted_as_undefined(answered: Database) -> None:
    score(["200 Hz"], answered)
    report(trigger="scored in part")
    assert ask(
        answered,
        "SELECT n, undefined_n FROM mirpipe.v_retrieval_summary WHERE metric = 'aesthetics_pq'",
    ) == [(1, 1)]


def test_a_score_makes_a_new_run_only_where_a_summary_shows_it(answered: Database) -> None:
    score([], answered)
    assert report(trigger="a model is wanted").changed
    score(["3000 Hz", "210 Hz"], answered)
    assert not report(trigger="no first answer is scored").changed
    score(["200 Hz"], answered)
    assert report(trigger="one is").changed
    assert not report(trigger="nothing new").changed


def test_a_model_that_is_switched_off_changes_nothing(answered: Database) -> None:
    score(["200 Hz", "800 Hz"], answered)
    report(trigger="scored")
    stage.plan([], batch_tracks=9)
    assert not report(trigger="switched off").changed


def test_the_digest_sees_a_score_and_not_by_which_machine(answered: Database) -> None:
    def digest() -> dict[str, str]:
        with answered.app.connect() as connection:
            return digests(connection)

    score(["200 Hz"], answered)
    before = digest()
    with answered.app.begin() as connection:
        connection.execute(text("UPDATE mirpipe.score_batch SET device = 'other', seconds = 9"))
    assert digest() == before
    with answered.app.begin() as connection:
        connection.execute(
            text("UPDATE mirpipe.track_score SET value = value * (1 + 3e-16) WHERE value > 0")
        )
    changed = digest()
    assert {name for name in before if before[name] != changed[name]} == {"track_score"}
