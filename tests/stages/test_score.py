"""Score stores scores, keeps existing ones, and records failures."""

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
from sqlalchemy import text

from mirpipe import registry
from mirpipe.stages import score as stage
from tests.support.audio_files import ingest_folder, tone, tones
from tests.support.databases import Database

pytestmark = pytest.mark.usefixtures("_fake_track_metrics")

AXES = ("aesthetics_ce", "aesthetics_cu", "aesthetics_pc", "aesthetics_pq")


def score(**options: object) -> stage.ScoreResult:
    return stage.score("tasteful", batch_tracks=2, **options)  # type: ignore[arg-type]


def counts(scored: int = 0, *, undefined: int = 0, rejected: int = 0, failed: int = 0) -> object:
    return stage.ScoreResult(scored, undefined, rejected, failed)


def query(database: Database, sql: str) -> list[tuple]:
    """Run a query as the reader role, and return its rows."""
    with database.reader.connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql))]


def values(database: Database) -> dict[tuple[str, str], float]:
    rows = query(database, "SELECT track, metric, value FROM mirpipe.v_track_score")
    return {(track, metric): value for track, metric, value in rows}


def ledger(database: Database) -> list[tuple]:
    return query(
        database,
        "SELECT title, reason, retry, attempts FROM mirpipe.v_failure WHERE stage = 'score'",
    )


def pending(database: Database) -> list[tuple]:
    sql = "SELECT plugin, items FROM mirpipe.v_pending WHERE stage = 'score'"
    return query(database, sql)


@pytest.fixture
def plugin() -> object:
    import mirpipe.plugins.track_metrics.tasteful as tasteful  # type: ignore[import-not-found]

    return tasteful


def test_a_score_is_the_length_weighted_mean_and_the_level_is_not_changed(
    fresh_database: Database, tmp_path: Path
) -> None:
    path = tone(tmp_path / "a.wav", 440, seconds=2.25)
    ingest_folder(tmp_path, "reference")
    assert score() == counts(1)
    samples, _ = soundfile.read(path, dtype="float32")
    windows = [samples[:8000], samples[8000:16000], samples[16000:]]  # The last window is shorter.
    rows = [(w.std(), w.max(), len(w) / 8000, 10) for w in windows]
    expected = np.average(rows, axis=0, weights=[len(w) for w in windows])
    scores = values(fresh_database)
    np.testing.assert_allclose([scores["a", axis] for axis in AXES], expected, rtol=1e-6)


def test_the_model_receives_a_limited_number_of_windows_per_call(
    fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plugin: object
) -> None:
    monkeypatch.setattr(stage, "WINDOWS_PER_CALL", 2)
    calls: list[int] = []
    ones = np.ones
    monkeypatch.setattr(
        plugin.Plugin,  # type: ignore[attr-defined]
        "score",
        lambda _, segments: (calls.append(len(segments)), ones((len(segments), 4), np.float32))[1],
    )
    tone(tmp_path / "a.wav", 440, seconds=5)
    ingest_folder(tmp_path, "reference")
    score()
    assert calls == [2, 2, 1]


def test_a_second_run_scores_nothing(fresh_database: Database, tmp_path: Path) -> None:
    tones(tmp_path, [220, 330, 440])
    ingest_folder(tmp_path, "reference")
    assert score() == counts(3)
    assert score() == counts(0)
    assert stage.plan(["tasteful"], batch_tracks=2) == []


def test_only_a_deleted_score_is_computed_again(fresh_database: Database, tmp_path: Path) -> None:
    tones(tmp_path, [220, 330])
    ingest_folder(tmp_path, "reference")
    score()
    before = values(fresh_database)
    with fresh_database.app.begin() as connection:
        connection.execute(
            text(
                "DELETE FROM mirpipe.track_score USING mirpipe.metric m "
                "WHERE m.metric_id = track_score.metric_id AND m.name = 'aesthetics_pq' "
                "AND track_id = (SELECT min(track_id) FROM mirpipe.track)"
            )
        )
    assert pending(fresh_database) == [("tasteful", 1)]
    assert score() == counts(1)
    assert values(fresh_database) == before
    assert pending(fresh_database) == []


def test_each_axis_is_a_metric_of_the_models_revision(
    fresh_database: Database, tmp_path: Path, plugin: object
) -> None:
    stage.plan(["tasteful"], batch_tracks=2)
    rows = query(
        fresh_database,
        "SELECT name, revision, spec ->> 'axis', spec ->> 'name', wanted FROM mirpipe.metric "
        "ORDER BY name",
    )
    revision = registry.revision(plugin.SPEC)  # type: ignore[attr-defined]
    assert rows == [(axis, revision, axis, "tasteful", True) for axis in AXES]


def test_a_batch_stores_device_and_package_versions(
    fresh_database: Database, tmp_path: Path
) -> None:
    tones(tmp_path, [220, 330, 440])
    ingest_folder(tmp_path, "reference")
    score()
    batches = query(
        fresh_database,
        "SELECT device, versions ? 'numpy', tracks, count(*) FROM mirpipe.score_batch "
        "JOIN mirpipe.track_score USING (batch_id) GROUP BY batch_id ORDER BY batch_id",
    )
    assert batches == [("cpu", True, 2, 8), ("cpu", True, 1, 4)]


def test_a_failing_track_does_not_stop_the_others_and_is_tried_again(
    fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plugin: object
) -> None:
    tones(tmp_path, [220, 330])
    tone(tmp_path / "loud.wav", 300, level=0.99)
    ingest_folder(tmp_path, "reference")
    assert score() == counts(2, failed=1)
    assert score() == counts(0, failed=1)
    assert ledger(fresh_database) == [("loud", "RuntimeError", True, 2)]
    monkeypatch.setattr(plugin, "FAILS_ABOVE", 2)
    assert score() == counts(1)
    assert ledger(fresh_database) == []


def test_bad_input_is_recorded_and_not_tried_again(
    fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        from mirpipe.errors import RejectedInput

        raise RejectedInput("truncated", "a.wav ends too early")

    tone(tmp_path / "a.wav", 440)
    ingest_folder(tmp_path, "reference")
    monkeypatch.setattr("mirpipe.audio.read_windows", broken)
    assert score() == counts(0, rejected=1)
    assert ledger(fresh_database) == [("a", "truncated", False, 1)]
    assert score() == counts(0)
    assert pending(fresh_database) == []


def test_a_file_that_changed_since_ingest_is_not_scored_under_its_old_identity(
    fresh_database: Database, tmp_path: Path
) -> None:
    path = tone(tmp_path / "a.wav", 440)
    ingest_folder(tmp_path, "reference")
    tone(path, 441)
    assert score() == counts(0, failed=1)
    assert ledger(fresh_database) == [("a", "ContentChanged", True, 1)]
    assert values(fresh_database) == {}


def test_a_track_without_a_window_has_a_reason_instead_of_a_number(
    fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tone(tmp_path / "a.wav", 440)
    ingest_folder(tmp_path, "reference")
    monkeypatch.setattr("mirpipe.audio.read_windows", lambda *_, **__: iter(()))
    assert score() == counts(0, undefined=1)
    assert query(fresh_database, "SELECT ce, pq, reason FROM mirpipe.v_aesthetics") == [
        (None, None, "no_window")
    ]


def test_silence_has_no_influence_on_scores(fresh_database: Database, tmp_path: Path) -> None:
    samples, rate = soundfile.read(tone(tmp_path / "plain.wav", 440, seconds=2.0))
    silence = np.zeros(4 * rate)
    soundfile.write(tmp_path / "padded.wav", np.concatenate([silence, samples, silence]), rate)
    click = 0.5 * np.sin(np.arange(rate // 20))
    soundfile.write(tmp_path / "click.wav", np.concatenate([silence, click, silence]), rate)
    ingest_folder(tmp_path, "reference")
    assert score() == counts(2, undefined=1)
    rows = query(fresh_database, "SELECT title, ce, pq, reason FROM mirpipe.v_aesthetics")
    scores = {title: values for title, *values in rows}
    assert scores["padded"][:2] == pytest.approx(scores["plain"][:2], rel=1e-3)
    assert scores["click"] == [None, None, "too_little_sound"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (np.full((2, 4), np.nan, np.float32), "not finite"),
        (np.ones((2, 3), np.float32), r"expected shape is \(2, 4\)"),
    ],
)
def test_invalid_scores_of_a_model_are_never_stored(
    fresh_database: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    plugin: object,
    rows: np.ndarray,
    message: str,
) -> None:
    tone(tmp_path / "a.wav", 440)
    ingest_folder(tmp_path, "reference")
    monkeypatch.setattr(plugin.Plugin, "score", lambda *_: rows)  # type: ignore[attr-defined]
    assert score() == counts(0, failed=1)
    ((reason, stored_message),) = query(
        fresh_database, "SELECT reason, message FROM mirpipe.v_failure"
    )
    assert reason == "PluginError"
    assert re.search(message, stored_message)
    assert values(fresh_database) == {}


def test_a_new_revision_scores_all_tracks_and_old_scores_stay(
    fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plugin: object
) -> None:
    tones(tmp_path, [220, 330])
    ingest_folder(tmp_path, "reference")
    score()
    changed = dataclasses.replace(plugin.SPEC, version=2)  # type: ignore[attr-defined]
    monkeypatch.setattr(plugin, "SPEC", changed)
    (batch,) = stage.plan(["tasteful"], batch_tracks=9)
    assert len(batch.track_ids) == 2
    assert values(fresh_database) == {}  # Scores of the old revision are not shown.
    assert score() == counts(2)
    assert {
        row[0] for row in query(fresh_database, "SELECT revision FROM mirpipe.v_track_score")
    } == {registry.revision(changed)}
    assert query(fresh_database, "SELECT count(*) FROM mirpipe.track_score") == [(16,)]


def test_a_model_that_is_no_longer_configured_scores_nothing_and_keeps_its_results(
    fresh_database: Database, tmp_path: Path
) -> None:
    tones(tmp_path, [220])
    ingest_folder(tmp_path, "reference")
    score()
    tones(tmp_path, [330])
    ingest_folder(tmp_path, "reference")
    assert stage.plan([], batch_tracks=2) == []
    assert pending(fresh_database) == []
    assert len(values(fresh_database)) == 4


def test_melody_metrics_stay_configured_without_models(fresh_database: Database) -> None:
    from mirpipe.stages import evaluate

    evaluate.register()
    stage.plan([], batch_tracks=2)
    assert query(fresh_database, "SELECT DISTINCT wanted FROM mirpipe.metric") == [(True,)]
