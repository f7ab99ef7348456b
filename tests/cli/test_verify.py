"""`mirpipe verify` on a library that went through the pipeline, in one go or not."""

import json
import shutil
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from mirpipe.cli.main import app
from mirpipe.stages import embed as embed_stage
from mirpipe.stages.report import report
from mirpipe.stages.retrieve import retrieve
from tests.support.audio_files import ingest_folder, tones
from tests.support.databases import Database
from tests.support.fake_plugins import add_fakes


@pytest.fixture(autouse=True)
def _tiny_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    add_fakes(monkeypatch, "encoders")


def make(folder: Path) -> None:
    tones(folder / "references", [100.0 * n for n in range(1, 15)])
    tones(folder / "targets", [150, 1000])
    (folder / "references" / "broken.wav").write_bytes(b"not audio")
    shutil.copy(folder / "references" / "100 Hz.wav", folder / "references" / "again.wav")


def process(folder: Path) -> None:
    ingest_folder(folder / "references", "reference")
    ingest_folder(folder / "targets", "target")
    embed_stage.plan(["tiny"], batch_tracks=64)
    embed_stage.embed(["tiny"], batch_tracks=3)
    retrieve()
    report(trigger="test")


def verify(*options: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["verify", *options])
    return result.exit_code, result.stdout


def test_all_is_well_after_the_pipeline(fresh_database: Database, tmp_path: Path) -> None:
    make(tmp_path)
    process(tmp_path)
    assert verify() == (0, "all as it ought to be\n")
    assert json.loads(verify("--json")[1]) == {"differences": []}


def test_difference_is_printed_and_exits_1(fresh_database: Database, tmp_path: Path) -> None:
    make(tmp_path)
    process(tmp_path)
    with fresh_database.app.begin() as connection:
        connection.execute(text("UPDATE mirpipe.background_moment SET n = 3"))
    code, said = verify()
    assert code == 1
    assert said.startswith("background: tiny: the sums")
    assert "`mirpipe retrieve --rebuild`" in said


def test_digest_is_that_of_a_library_elsewhere_that_grew_piece_by_piece(
    fresh_database: Database, tmp_path: Path
) -> None:
    make(tmp_path / "one")
    process(tmp_path / "one")
    code, said = verify("--digest", "--json")
    assert code == 0
    whole = json.loads(said)
    assert verify("--digest") == (0, f"{whole['digest']}\n")

    with fresh_database.owner.begin() as owner:
        owner.execute(text("TRUNCATE mirpipe.track, mirpipe.encoder, mirpipe.track_file CASCADE"))
        owner.execute(text("TRUNCATE mirpipe.failure, mirpipe.run CASCADE"))
    make(tmp_path / "two")
    aside = tmp_path / "aside"
    aside.mkdir()
    for name in ("300 Hz.wav", "700 Hz.wav"):
        shutil.move(tmp_path / "two" / "references" / name, aside / name)
    process(tmp_path / "two")
    assert json.loads(verify("--digest", "--json")[1])["digest"] != whole["digest"]
    for name in ("700 Hz.wav", "300 Hz.wav"):
        shutil.move(aside / name, tmp_path / "two" / "references" / name)
        process(tmp_path / "two")
    assert json.loads(verify("--digest", "--json")[1]) == whole
