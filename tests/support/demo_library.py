"""The demo library in the tables: excerpts of it, through the whole pipeline, with two runs.

Audio, titles, labels, encoders and measured numbers are real. What needs models that a test cannot
have is made up: captions, clips and aesthetics come from the fakes beside this file.
"""

import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest
import soundfile
from typer.testing import CliRunner

from mirpipe.cli.main import app
from mirpipe.settings import PROJECT, settings
from tests.support.fake_plugins import add_fakes

DEMO = PROJECT / "demo"
EXCERPT_SECONDS = 9
CAPTION = "A fast techno track at 200 BPM in 4/4, F# minor, with singing."

TARGETS = ("Jazz 120 BPM", "茉莉花（笛子）", "Reel (fiddle) DevilsDreamReel")
FIRST = (
    *("茉莉花（古筝）", "jazz-bebop_200", "Egypt", "West"),
    "Reel A (accordion) DevilsDreamReel",
)
LATER = ("茉莉花（笛子）", "jazz-swing_140", "Hacienda")
LEAVES = "West"
"""Of the first references the one that is gone by the second run."""

SETTINGS = {
    "MIRPIPE_CAPTIONER": "echo",
    "ECHO": CAPTION,
    "MIRPIPE_GENERATORS": "beep",
    "MIRPIPE_GUIDANCE_SWEEP": "8",
    "MIRPIPE_METRICS": "tasteful",
}


def build(folder: Path) -> None:
    """Fills the database that the settings name; excerpts and clips lie below `folder` then."""
    with pytest.MonkeyPatch.context() as patch:
        add_fakes(patch, "captioners", "generators", "track_metrics")
        for name, value in SETTINGS.items():
            patch.setenv(name, value)
        patch.setenv("MIRPIPE_CLIPS_DIR", str(folder / "clips"))
        settings.cache_clear()
        references, targets = folder / "reference", folder / "target"
        _excerpts("target", TARGETS, targets)
        _excerpts("reference", FIRST, references)
        (references / "not music.ogg").write_bytes(b"not audio")
        _ingest(targets, references)
        _mirpipe("run")
        _excerpts("reference", LATER, references)
        (references / f"{LEAVES}.ogg").unlink()
        _ingest(targets, references)
        _mirpipe("run")
        _mirpipe("generate")
        _mirpipe("run")
        _mirpipe("published", "import")
    settings.cache_clear()


def _excerpts(collection: str, names: Iterable[str], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        with soundfile.SoundFile(DEMO / collection / f"{name}.ogg") as file:
            samples = file.read(EXCERPT_SECONDS * file.samplerate)
            soundfile.write(folder / f"{name}.ogg", samples, file.samplerate)


def _ingest(targets: Path, references: Path) -> None:
    manifest = targets.parent / "manifest.csv"
    if not manifest.exists():
        shutil.copy(DEMO / "manifest.csv", manifest)
    for folder in (references, targets):
        _mirpipe(
            *("ingest", str(folder), "--collection", folder.name, "--manifest", str(manifest)),
            codes=(0, 3),
        )


def _mirpipe(*arguments: str, codes: tuple[int, ...] = (0,)) -> None:
    result = CliRunner().invoke(app, arguments)
    if result.exit_code not in codes:
        raise AssertionError(f"{arguments}: {result.output}") from result.exception
