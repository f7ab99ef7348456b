"""What becomes of a model that cannot score on this machine."""

from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from mirpipe import registry
from mirpipe.cli import main
from mirpipe.db import queries
from mirpipe.settings import settings
from mirpipe.stages import score as stage
from tests.support.audio_files import ingest_folder, tones
from tests.support.databases import Database

pytestmark = pytest.mark.usefixtures("_fake_track_metrics")


@pytest.fixture
def models(fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The empty folder of models, in a library of one track; `tasteful`, `needy` are wanted."""
    monkeypatch.setenv("MIRPIPE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MIRPIPE_MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.setenv("MIRPIPE_METRICS", "needy, tasteful")
    monkeypatch.setenv("MIRPIPE_ENCODERS", "")
    settings.cache_clear()
    tones(tmp_path / "music", [300])
    ingest_folder(tmp_path / "music", "reference")
    return tmp_path / "models"


def put_weights(models: Path) -> None:
    (file,) = registry.TRACK_METRICS.needs("needy").weights
    path = models / file.repository / file.filename
    path.parent.mkdir(parents=True)
    path.write_bytes(b"abc")


def plan() -> list[str]:
    return [batch.metric for batch in stage.plan(settings().metrics, batch_tracks=9)]


def mirpipe(*arguments: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(main.app, list(arguments))
    return done.exit_code, done.stdout, done.stderr


def test_the_others_are_planned_and_the_ledger_names_the_remedy(models: Path) -> None:
    assert plan() == plan() == ["tasteful"]
    (needy,) = queries.unavailable()
    assert (needy.kind, needy.name, needy.reason) == ("metric", "needy", "weights_missing")
    assert needy.message.endswith("`mirpipe models pull needy`")
    (row,) = queries.failures()
    assert (row.stage, row.subject, row.retry, row.attempts) == ("score", "metric:needy", True, 2)


def test_weights_that_arrive_clear_the_ledger_and_make_work(models: Path) -> None:
    plan()
    put_weights(models)
    assert plan() == ["needy", "tasteful"]
    assert queries.unavailable() == []
    assert stage.score("needy", batch_tracks=9).scored == 1


def test_a_model_that_is_no_longer_wanted_is_no_longer_missed(models: Path) -> None:
    plan()
    stage.plan(["tasteful"], batch_tracks=9)
    assert queries.unavailable() == []


def test_results_stay_where_weights_went_missing(models: Path, fresh_database: Database) -> None:
    put_weights(models)
    plan()
    stage.score("needy", batch_tracks=9)
    (models / "somebody/needy/needy.bin").unlink()
    assert plan() == ["tasteful"]
    with fresh_database.reader.connect() as connection:
        shown = connection.execute(text("SELECT metric, value FROM mirpipe.v_track_score"))
        assert [tuple(row) for row in shown] == [("need", ord("a"))]


def test_a_model_that_is_not_there_gets_a_task_that_fails_and_says_so(models: Path) -> None:
    batches = stage.plan(["nonesuch", "tasteful"], batch_tracks=9)
    assert [(b.metric, len(b.track_ids)) for b in batches] == [("nonesuch", 0), ("tasteful", 1)]
    assert [one.name for one in queries.unavailable()] == ["nonesuch"]


def test_a_model_that_cannot_be_loaded_is_in_the_ledger_and_the_others_go_on(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mirpipe.plugins.track_metrics.needy as needy  # type: ignore[import-not-found]

    def broken(*_: object) -> None:
        raise ValueError("a tensor is missing")

    put_weights(models)
    with monkeypatch.context() as patch:
        patch.setattr(needy.Plugin, "__init__", broken)
        code, said, complained = mirpipe("score")
    assert (code, said.strip()) == (1, "scored 1, undefined 0, rejected 0, failed 1")
    assert "needy is unavailable: a tensor is missing" in complained
    assert mirpipe("score")[:2] == (0, "scored 1, undefined 0, rejected 0, failed 0\n")
    assert queries.unavailable() == []


def test_score_does_the_others_says_so_and_ends_with_1(models: Path) -> None:
    code, said, complained = mirpipe("score")
    assert (code, said.strip()) == (1, "scored 1, undefined 0, rejected 0, failed 0")
    assert "needy is unavailable" in complained
    assert "mirpipe models pull needy" in complained


def test_scoring_by_one_model_leaves_what_the_ledger_says_of_another(models: Path) -> None:
    plan()
    assert mirpipe("score", "--metric", "tasteful")[0] == 0
    assert [one.name for one in queries.unavailable()] == ["needy"]


def test_status_names_the_model_the_remedy_and_the_work(models: Path) -> None:
    plan()
    said = " ".join(mirpipe("status")[1].split())
    assert "needy" in said
    assert "mirpipe models pull needy" in said
    assert "score tasteful" in said


def test_run_scores_too(models: Path) -> None:
    put_weights(models)
    code, said, _ = mirpipe("run")
    assert code == 0
    assert "scored 2" in said
