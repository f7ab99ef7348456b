"""Tests for the file hash cache."""

from pathlib import Path

import pytest

from mirpipe.models import json_entries
from mirpipe.models.file_hash_cache import CACHE, cached_sha256
from mirpipe.settings import settings


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return this test's home folder."""
    monkeypatch.setenv("MIRPIPE_HOME", str(tmp_path / "home"))
    settings.cache_clear()
    return tmp_path / "home"


def test_a_damaged_cache_is_created_again(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "weights"
    file.write_bytes(b"x")
    digest = cached_sha256(file)
    (home / CACHE).write_text('{"half')
    assert cached_sha256(file) == digest
    assert str(file) in json_entries.read_entries(settings().home / CACHE)
