"""Tests for the clip store: complete files that are named after the hash of their bytes."""

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from mirpipe.generation import clip_store
from mirpipe.settings import settings

SAMPLES = np.linspace(-1, 1, 800, dtype=np.float32)


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIRPIPE_CLIPS_DIR", str(tmp_path))
    settings.cache_clear()


def test_a_clip_is_a_flac_file_named_after_its_hash(tmp_path: Path) -> None:
    stored = clip_store.store_clip(SAMPLES, 8000)
    data = stored.path.read_bytes()
    assert stored.content_sha256 == hashlib.sha256(data).digest()
    assert stored.path == tmp_path / stored.path.stem[:2] / f"{stored.content_sha256.hex()}.flac"
    samples, rate = soundfile.read(stored.path, dtype="float32")
    assert rate == 8000
    np.testing.assert_allclose(samples, SAMPLES, atol=2**-15)


def test_equal_samples_are_stored_in_one_file(tmp_path: Path) -> None:
    first = clip_store.store_clip(SAMPLES, 8000)
    os.utime(first.path, (0, 0))
    inode = first.path.stat().st_ino
    assert clip_store.store_clip(SAMPLES, 8000) == first
    assert first.path.stat().st_ino == inode
    # The file counts as new, so `mirpipe prune` does not delete it before its row is written.
    assert first.path.stat().st_mtime > 0
    assert clip_store.store_clip(-SAMPLES, 8000) != first
    assert len(list(tmp_path.rglob("*.flac"))) == 2


def test_a_damaged_file_is_written_again() -> None:
    stored = clip_store.store_clip(SAMPLES, 8000)
    complete = stored.path.read_bytes()
    stored.path.write_bytes(complete[:100])
    assert clip_store.store_clip(SAMPLES, 8000) == stored
    assert stored.path.read_bytes() == complete


def test_an_interrupted_write_leaves_no_clip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        clip_store.store_clip(SAMPLES, 8000)
    assert [path for path in tmp_path.rglob("*.flac") if not path.name.startswith(".")] == []
