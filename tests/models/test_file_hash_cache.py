"""What is remembered of large files."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mirpipe.models import file_hash_cache
from mirpipe.settings import settings


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MIRPIPE_HOME", str(tmp_path / "home"))
    settings.cache_clear()
    return tmp_path / "home"


def test_what_many_remember_at_once_is_all_kept() -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: file_hash_cache.remember("x.json", str(n), n), range(50)))
    assert file_hash_cache.remembered("x.json") == {str(n): n for n in range(50)}


def test_a_torn_memory_is_forgotten_and_made_anew(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "weights"
    file.write_bytes(b"x")
    known = file_hash_cache.sha256(file)
    (home / "fingerprints.json").write_text('{"half')
    assert file_hash_cache.sha256(file) == known
    assert str(file) in file_hash_cache.remembered("fingerprints.json")
