"""If a model cannot run on this machine, the remedy is reported and all other models score."""

from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from mirpipe import registry
from mirpipe.cli import main
from mirpipe.db import queries
from mirpipe.files.sha256 import sha256
from mirpipe.models import weight_verification
from mirpipe.settings import settings
from mirpipe.stages import score as stage
from tests.support.audio_files import ingest_folder, tones
from tests.support.databases import Database

pytestmark = pytest.mark.usefixtures("_fake_track_metrics")


@pytest.fixture
def models(fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty models folder. The library has one track; `needy` and `tasteful` are configured."""
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
    weight_verification.trust(file, sha256(path).hex())


def plan() -> list[str]:
    return [batch.metric for batch in stage.plan(settings().metrics, batch_tracks=9)]


def mirpipe(*arguments: str) -> tuple[int, str, str]:
    """Run a mirpipe command, and return its exit code, output and error output."""
    result = CliRunner().invoke(main.app, list(arguments))
    return result.exit_code, result.stdout, result.stderr


def test_the_other_models_are_planned_and_the_failure_names_the_remedy(models: Path) -> None:
    assert plan() == plan() == ["tasteful"]
    (needy,) = queries.unavailable_plugins()
    assert (needy.kind, needy.name, needy.reason) == ("metric", "needy", "weights_missing")
    assert needy.message.endswith("`mirpipe models pull needy`")
    (row,) = queries.failures()
    assert (row.stage, row.subject, row.retry, row.attempts) == ("score", "metric:needy", True, 2)


def test_installed_weights_delete_the_failure_and_the_model_is_planned(models: Path) -> None:
    plan()
    put_weights(models)
    assert plan() == ["needy", "tasteful"]
    assert queries.unavailable_plugins() == []
    assert stage.score("needy", batch_tracks=9).scored == 1


def test_a_model_that_is_no_longer_configured_is_not_reported(models: Path) -> None:
    plan()
    stage.plan(["tasteful"], batch_tracks=9)
    assert queries.unavailable_plugins() == []


def test_results_stay_if_the_weights_are_removed(models: Path, fresh_database: Database) -> None:
    put_weights(models)
    plan()
    stage.score("needy", batch_tracks=9)
    (models / "somebody/needy/needy.bin").unlink()
    assert plan() == ["tasteful"]
    with fresh_database.reader.connect() as connection:
        rows = connection.execute(text("SELECT metric, value FROM mirpipe.v_track_score"))
        assert [tuple(row) for row in rows] == [("need", ord("a"))]


def test_an_unknown_model_gets_a_task_that_fails_with_the_cause(models: Path) -> None:
    batches = stage.plan(["nonesuch", "tasteful"], batch_tracks=9)
    assert [(b.metric, len(b.track_ids)) for b in batches] == [("nonesuch", 0), ("tasteful", 1)]
    assert [plugin.name for plugin in queries.unavailable_plugins()] == ["nonesuch"]


def test_a_model_that_cannot_be_loaded_is_recorded_and_the_others_score(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mirpipe.plugins.track_metrics.needy as needy  # type: ignore[import-not-found]

    def broken(*_: object) -> None:
        raise ValueError("a tensor is missing")

    put_weights(models)
    with monkeypatch.context() as patch:
        patch.setattr(needy.Plugin, "__init__", broken)
        code, output, errors = mirpipe("score")
    assert (code, output.strip()) == (1, "scored 1, undefined 0, rejected 0, failed 1")
    assert "needy is unavailable: a tensor is missing" in errors
    assert mirpipe("score")[:2] == (0, "scored 1, undefined 0, rejected 0, failed 0\n")
    assert queries.unavailable_plugins() == []


def test_score_runs_the_other_models_and_exits_with_1(models: Path) -> None:
    code, output, errors = mirpipe("score")
    assert (code, output.strip()) == (1, "scored 1, undefined 0, rejected 0, failed 0")
    assert "needy is unavailable" in errors
    assert "mirpipe models pull needy" in errors


def test_scoring_by_one_model_keeps_the_failure_of_another(models: Path) -> None:
    plan()
    assert mirpipe("score", "--metric", "tasteful")[0] == 0
    assert [plugin.name for plugin in queries.unavailable_plugins()] == ["needy"]


def test_status_shows_the_unavailable_model_its_remedy_and_pending_work(models: Path) -> None:
    plan()
    output = " ".join(mirpipe("status")[1].split())
    assert "needy" in output
    assert "mirpipe models pull needy" in output
    assert "score tasteful" in output


def test_run_also_scores(models: Path) -> None:
    put_weights(models)
    code, output, _ = mirpipe("run")
    assert code == 0
    assert "scored 2" in output
