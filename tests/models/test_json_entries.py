"""Tests for JSON files to which several processes add entries."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mirpipe.models import json_entries


def test_entries_added_at_the_same_time_are_all_kept(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "x.json"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: json_entries.add_entry(path, str(n), n), range(50)))
    assert json_entries.read_entries(path) == {str(n): n for n in range(50)}
