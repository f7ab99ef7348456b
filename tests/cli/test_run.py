"""`mirpipe run` reports results while tracks are still pending."""

import json
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from mirpipe.cli.main import app
from mirpipe.orchestration import plan_limit
from mirpipe.settings import settings
from tests.support.audio_files import ingest_folder, tones
from tests.support.databases import Database


def test_the_stages_run_until_no_track_is_left_out(
    fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIRPIPE_ENCODERS", "signal")
    monkeypatch.setenv("MIRPIPE_CAPTIONER", "")
    settings.cache_clear()
    for collection, frequencies in (("reference", [300, 350, 400]), ("target", [500, 550])):
        tones(tmp_path / collection, frequencies)
        ingest_folder(tmp_path / collection, collection)
    monkeypatch.setattr(plan_limit, "largest_plan", lambda: 2)
    result = CliRunner().invoke(app, ["run", "--json"])
    assert result.exit_code == 0, result.output
    assert "2 of 5 tracks are embedded; the next round continues" in result.stderr
    assert "4 of 5 tracks are embedded; the next round continues" in result.stderr
    results = json.loads(result.stdout)
    assert results["embed"]["embedded"] == results["analyse"]["measured"] == 5
    with fresh_database.reader.connect() as reader:
        query = "SELECT references_n, targets_n FROM mirpipe.run_encoder ORDER BY run_id"
        assert [tuple(row) for row in reader.execute(text(query))] == [(1, 1), (2, 2), (3, 2)]
    again = CliRunner().invoke(app, ["run", "--json"])
    assert json.loads(again.stdout)["report"]["changed"] is False
    assert "the next round" not in again.stderr
