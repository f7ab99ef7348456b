"""What becomes of an encoder that cannot run on this machine."""

from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from mirpipe import registry
from mirpipe.cli import main
from mirpipe.db import queries
from mirpipe.settings import settings
from mirpipe.stages import embed as stage
from tests.support.audio_files import ingest_folder, tones
from tests.support.databases import Database

pytestmark = pytest.mark.usefixtures("_tiny_encoder")


@pytest.fixture
def models(fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The empty folder of models, in a library of one track; `tiny` and `wanting` are wanted."""
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


def plan() -> list[str]:
    batches = stage.plan(["wanting", "tiny"], batch_tracks=9)
    return [name for batch in batches for name in batch.encoders]


def test_the_others_are_planned_and_the_ledger_names_the_remedy(models: Path) -> None:
    assert plan() == ["tiny"]
    assert plan() == ["tiny"]
    (wanting,) = queries.unavailable()
    assert (wanting.kind, wanting.name, wanting.reason) == (
        *("encoder", "wanting", "weights_missing"),
    )
    assert wanting.message.endswith("`mirpipe models pull wanting`")
    (row,) = queries.failures()
    assert (row.stage, row.subject, row.retry, row.attempts) == (
        *("embed", "encoder:wanting", True, 2),
    )


def test_weights_that_arrive_clear_the_ledger_and_make_work(
    models: Path, fresh_database: Database
) -> None:
    plan()
    put_weights(models)
    assert plan() == ["wanting", "tiny"]
    assert queries.unavailable() == []
    assert stage.embed(["wanting"], batch_tracks=9).embedded == 1
    with fresh_database.reader.connect() as connection:
        batch = connection.execute(text("SELECT device, versions FROM mirpipe.embedding_batch"))
        ((device, versions),) = batch
    assert device == "abacus"
    assert "httpx" in versions


def test_an_encoder_that_is_no_longer_wanted_is_no_longer_missed(models: Path) -> None:
    plan()
    stage.plan(["tiny"], batch_tracks=9)
    assert queries.unavailable() == []


def test_embed_does_the_others_says_so_and_ends_with_1(models: Path) -> None:
    done = CliRunner().invoke(main.app, ["embed"])
    assert done.exit_code == 1
    assert done.stdout.strip() == "embedded 1, rejected 0, failed 0"
    assert "wanting is unavailable" in done.stderr
    assert "mirpipe models pull wanting" in done.stderr


def test_status_names_the_encoder_and_the_remedy(models: Path) -> None:
    plan()
    said = CliRunner().invoke(main.app, ["status"]).stdout
    assert "unavailable" in said
    assert "mirpipe models pull wanting" in " ".join(said.split())


def test_models_lists_what_is_here_and_what_is_missing(models: Path) -> None:
    listed = CliRunner().invoke(main.app, ["models"]).stdout
    assert "CC-BY-4.0" in listed
    assert "mirpipe models pull wanting" in " ".join(listed.split())
    put_weights(models)
    assert "pull wanting" not in CliRunner().invoke(main.app, ["models"]).stdout
