"""If an encoder cannot run on this machine, the remedy is reported and all other encoders run."""

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
from mirpipe.stages import embed as stage
from tests.support.audio_files import ingest_folder, tones
from tests.support.databases import Database

pytestmark = pytest.mark.usefixtures("_tiny_encoder")


@pytest.fixture
def models(fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty models folder. The library has one track; `wanting` and `tiny` are configured."""
    monkeypatch.setenv("MIRPIPE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MIRPIPE_MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.setenv("MIRPIPE_ENCODERS", "wanting,tiny")
    settings.cache_clear()
    tones(tmp_path / "music", [300])
    ingest_folder(tmp_path / "music", "reference")
    return tmp_path / "models"


def put_weights(models: Path) -> None:
    (file,) = registry.ENCODERS.needs("wanting").weights
    path = models / file.repository / file.filename
    path.parent.mkdir(parents=True)
    path.write_bytes(b"abc")
    weight_verification.trust(file, sha256(path).hex())


def plan() -> list[str]:
    batches = stage.plan(["wanting", "tiny"], batch_tracks=9)
    return [name for batch in batches for name in batch.encoders]


def test_the_other_encoders_are_planned_and_the_failure_names_the_remedy(models: Path) -> None:
    assert plan() == ["tiny"]
    assert plan() == ["tiny"]
    (wanting,) = queries.unavailable_plugins()
    assert (wanting.kind, wanting.name, wanting.reason) == (
        *("encoder", "wanting", "weights_missing"),
    )
    assert wanting.message.endswith("`mirpipe models pull wanting`")
    (row,) = queries.failures()
    assert (row.stage, row.subject, row.retry, row.attempts) == (
        *("embed", "encoder:wanting", True, 2),
    )


def test_installed_weights_delete_the_failure_and_the_encoder_is_planned(
    models: Path, fresh_database: Database
) -> None:
    plan()
    put_weights(models)
    assert plan() == ["wanting", "tiny"]
    assert queries.unavailable_plugins() == []
    assert stage.embed(["wanting"], batch_tracks=9).embedded == 1
    with fresh_database.reader.connect() as connection:
        batch = connection.execute(text("SELECT device, versions FROM mirpipe.embedding_batch"))
        ((device, versions),) = batch
    assert device == "abacus"
    assert "httpx" in versions


def test_an_encoder_that_is_no_longer_configured_is_not_reported(models: Path) -> None:
    plan()
    stage.plan(["tiny"], batch_tracks=9)
    assert queries.unavailable_plugins() == []


def test_embed_runs_the_other_encoders_and_exits_with_1(models: Path) -> None:
    result = CliRunner().invoke(main.app, ["embed"])
    assert result.exit_code == 1
    assert result.stdout.strip() == "embedded 1, rejected 0, failed 0"
    assert "wanting is unavailable" in result.stderr
    assert "mirpipe models pull wanting" in result.stderr


def test_status_names_the_encoder_and_the_remedy(models: Path) -> None:
    plan()
    output = CliRunner().invoke(main.app, ["status"]).stdout
    assert "unavailable" in output
    assert "mirpipe models pull wanting" in " ".join(output.split())


def test_models_lists_installed_and_missing_weights(models: Path) -> None:
    output = CliRunner().invoke(main.app, ["models"]).stdout
    assert "CC-BY-4.0" in output
    assert "mirpipe models pull wanting" in " ".join(output.split())
    put_weights(models)
    assert "pull wanting" not in CliRunner().invoke(main.app, ["models"]).stdout
