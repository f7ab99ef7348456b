"""What tests of orchestration share: a stage that fails, crashes or sleeps as it is told."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest


class FakeStage:
    """A program in place of the interpreter that runs stages; see `fake_stage.py`."""

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
        """`signals` and `codes`: what a track id does to the process; `code`: what it ends with.

        In a plan, `encoders`: signals that the mere name of an encoder sends to the process.
        """
        plan |= {"signals": signals or {}, "codes": {**(codes or {}), "all": code}}
        (self._folder / "plan.json").write_text(json.dumps(plan))

    @property
    def seen(self) -> list[dict[str, Any]]:
        """One entry a start: pid, arguments, track_ids, environment."""
        path = self._folder / "seen.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeStage:
    fake = FakeStage(tmp_path)
    monkeypatch.setattr("mirpipe.models.interpreters.HERE", fake.interpreter)
    return fake
