"""Tests for JSON files in the home folder."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mirpipe.models import home_json_file
from mirpipe.settings import settings


def test_entries_added_at_the_same_time_are_all_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIRPIPE_HOME", str(tmp_path / "home"))
    settings.cache_clear()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: home_json_file.add_entry("x.json", str(n), n), range(50)))
    assert home_json_file.read_entries("x.json") == {str(n): n for n in range(50)}
