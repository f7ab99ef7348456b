"""Tests for `mirpipe verify` after one complete pipeline run and after several partial runs."""

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


def write_files(folder: Path) -> None:
    tones(folder / "references", [100.0 * n for n in range(1, 15)])
    tones(folder / "targets", [150, 1000])
    (folder / "references" / "broken.wav").write_bytes(b"not audio")
    shutil.copy(folder / "references" / "100 Hz.wav", folder / "references" / "again.wav")


def run_pipeline(folder: Path) -> None:
    ingest_folder(folder / "references", "reference")
    ingest_folder(folder / "targets", "target")
    embed_stage.plan(["tiny"], batch_tracks=64)
    embed_stage.embed(["tiny"], batch_tracks=3)
    retrieve()
    report(trigger="test")


def verify(*options: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["verify", *options])
    return result.exit_code, result.stdout


def test_all_checks_pass_after_the_pipeline(fresh_database: Database, tmp_path: Path) -> None:
    write_files(tmp_path)
    run_pipeline(tmp_path)
    assert verify() == (0, "all checks passed\n")
    assert json.loads(verify("--json")[1]) == {"differences": []}


def test_a_difference_is_printed_and_gives_exit_code_1(
    fresh_database: Database, tmp_path: Path
) -> None:
    write_files(tmp_path)
    run_pipeline(tmp_path)
    with fresh_database.app.begin() as connection:
        connection.execute(text("UPDATE mirpipe.background_moment SET n = 3"))
    code, output = verify()
    assert code == 1
    assert output.startswith("background: tiny: the sums")
    assert "`mirpipe retrieve --rebuild`" in output


def test_digest_does_not_depend_on_folder_and_order_of_arrival(
    fresh_database: Database, tmp_path: Path
) -> None:
    write_files(tmp_path / "one")
    run_pipeline(tmp_path / "one")
    code, output = verify("--digest", "--json")
    assert code == 0
    expected = json.loads(output)
    assert verify("--digest") == (0, f"{expected['digest']}\n")

    with fresh_database.owner.begin() as owner:
        owner.execute(text("TRUNCATE mirpipe.track, mirpipe.encoder, mirpipe.track_file CASCADE"))
        owner.execute(text("TRUNCATE mirpipe.failure, mirpipe.run CASCADE"))
    write_files(tmp_path / "two")
    aside = tmp_path / "aside"
    aside.mkdir()
    for name in ("300 Hz.wav", "700 Hz.wav"):
        shutil.move(tmp_path / "two" / "references" / name, aside / name)
    run_pipeline(tmp_path / "two")
    assert json.loads(verify("--digest", "--json")[1])["digest"] != expected["digest"]
    for name in ("700 Hz.wav", "300 Hz.wav"):
        shutil.move(aside / name, tmp_path / "two" / "references" / name)
        run_pipeline(tmp_path / "two")
    assert json.loads(verify("--digest", "--json")[1]) == expected
