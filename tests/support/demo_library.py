"""Fills a database with excerpts from the demo library, in two runs of the complete pipeline.

The audio, titles, labels, encoders and measurements are real. Captions, clips and aesthetics scores
would need model libraries, so fake plug-ins in this folder create them.
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
FIRST_REFERENCES = (
    *("茉莉花（古筝）", "jazz-bebop_200", "Egypt", "West"),
    "Reel A (accordion) DevilsDreamReel",
)
ADDED_REFERENCES = ("茉莉花（笛子）", "jazz-swing_140", "Hacienda")
REMOVED = "West"
"""The reference in the first run that is removed before the second run."""

SETTINGS = {
    "MIRPIPE_CAPTIONER": "echo",
    "ECHO": CAPTION,
    "MIRPIPE_GENERATORS": "beep",
    "MIRPIPE_GUIDANCE_SWEEP": "8",
    "MIRPIPE_METRICS": "tasteful",
}


def fill_database(folder: Path) -> None:
    """Fill the configured database. Excerpts and clips are written to `folder`."""
    with pytest.MonkeyPatch.context() as patch:
        add_fakes(patch, "captioners", "generators", "track_metrics")
        for name, value in SETTINGS.items():
            patch.setenv(name, value)
        patch.setenv("MIRPIPE_CLIPS_DIR", str(folder / "clips"))
        settings.cache_clear()
        references, targets = folder / "reference", folder / "target"
        _write_excerpts("target", TARGETS, targets)
        _write_excerpts("reference", FIRST_REFERENCES, references)
        (references / "not music.ogg").write_bytes(b"not audio")
        _ingest(targets, references)
        _mirpipe("run")
        _write_excerpts("reference", ADDED_REFERENCES, references)
        (references / f"{REMOVED}.ogg").unlink()
        _ingest(targets, references)
        _mirpipe("run")
        _mirpipe("generate")
        _mirpipe("run")
        _mirpipe("published", "import")
    settings.cache_clear()


def _write_excerpts(collection: str, names: Iterable[str], folder: Path) -> None:
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
