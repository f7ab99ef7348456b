"""Fixtures for the orchestration tests: a fake stage, and two targets in a database."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from mirpipe.stages import analyse, caption
from tests.support.audio_files import ingest_folder, tones
from tests.support.databases import Database


class FakeStage:
    """A program that replaces the interpreter that runs stages; see `fake_stage.py`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.interpreter = folder / "python"
        source = (Path(__file__).parent / "fake_stage.py").read_text()
        self.interpreter.write_text(f"#!{sys.executable}\n{source}")
        self.interpreter.chmod(0o755)
        self.behave()

    def behave(
        self,
        *,
        signals: dict[int, int] | None = None,
        codes: dict[int, int] | None = None,
        code: int = 0,
        **plan: Any,
    ) -> None:
        """Set what the program does when it runs.

        `signals` maps track ids to the signals with which the program kills itself. `codes` maps
        track ids to the program's exit codes. `code` is the exit code if the program receives no
        track ids. The option `encoders` maps encoder names to signals: the program kills itself if
        its arguments contain such a name.
        """
        plan |= {"signals": signals or {}, "codes": {**(codes or {}), "all": code}}
        (self._folder / "plan.json").write_text(json.dumps(plan))

    @property
    def calls(self) -> list[dict[str, Any]]:
        """One entry per program start, with the keys pid, arguments, track_ids and environment."""
        path = self._folder / "calls.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeStage:
    fake = FakeStage(tmp_path)
    monkeypatch.setattr("mirpipe.models.interpreters.CURRENT_PYTHON", fake.interpreter)
    return fake


@pytest.fixture
def targets(fresh_database: Database, tmp_path: Path) -> dict[str, int]:
    """The ids of two targets without results, by title."""
    tones(tmp_path / "targets", [300, 500])
    ingest_folder(tmp_path / "targets", "target")
    with fresh_database.app.connect() as connection:
        rows = connection.execute(text("SELECT title, track_id FROM mirpipe.track"))
        return {row.title: row.track_id for row in rows}


@pytest.fixture
def captioned(targets: dict[str, int]) -> dict[str, int]:
    """The ids of two targets that are analysed and captioned, by title."""
    analyse.analyse()
    caption.caption("features")
    return targets
