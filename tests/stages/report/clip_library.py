"""Targets with clips by `echo` and `beep`, for tests of revisions whose clips are shown."""

import importlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from mirpipe.settings import settings
from mirpipe.stages import analyse, caption
from mirpipe.stages import generate as stage
from mirpipe.stages.evaluate import evaluate
from mirpipe.stages.report import report
from tests.support.audio_files import ingest_folder, tones
from tests.support.databases import Database, DatabasePool

TARGETS = 5
CLIPS = 3 * TARGETS


def add_targets(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Add five targets, without captions or clips. The clips will be stored in this folder."""
    change(monkeypatch, CLIPS_DIR=str(folder / "clips"))
    tones(folder / "targets", [300.0 + 40 * n for n in range(TARGETS)])
    ingest_folder(folder / "targets", "target")
    analyse.analyse()


def add_published_clips(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Add five targets with published clips by the first revisions of `echo` and `beep`."""
    add_targets(folder, monkeypatch)
    caption.caption("echo")
    stage.generate("beep")
    publish()


def fill_with_published_clips(
    database: Database, pool: DatabasePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Do the same by a copy, with captions whose text is `old`."""
    monkeypatch.setenv("ECHO", "old")
    folder = pool.fill(database, _published_clips)
    change(monkeypatch, CLIPS_DIR=str(folder / "clips"))


def _published_clips(_database: Database, folder: Path) -> Path:
    with pytest.MonkeyPatch.context() as monkeypatch:
        add_published_clips(folder, monkeypatch)
    return folder


def change(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    """Change settings."""
    for name, value in values.items():
        monkeypatch.setenv(f"MIRPIPE_{name}", value)
    settings.cache_clear()


def make_quieter_clips(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `beep` generate other clips, of half the level."""
    beep: Any = importlib.import_module("mirpipe.plugins.generators.beep")
    old_tone = beep._tone
    monkeypatch.setattr(beep, "_tone", lambda request: old_tone(request) / 2)


def use_new_generator(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the second revision of `beep` the configured one, without generating clips."""
    beep: Any = importlib.import_module("mirpipe.plugins.generators.beep")
    monkeypatch.setattr(beep, "SPEC", replace(beep.SPEC, version=beep.SPEC.version + 1))
    stage.plan("beep")


def publish() -> None:
    """Measure and score all clips, and publish the results."""
    analyse.analyse()
    evaluate()
    report(trigger="test")


def rows(database: Database, query: str) -> list[tuple]:
    """Return the rows of a query."""
    with database.app.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]
