"""Ingest: many files that vanish at once, because a disk or share is offline."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from mirpipe.settings import settings
from mirpipe.stages.ingest.lost_shares import FolderLoss, folders_with_heavy_losses
from tests.stages.ingest.tables import ingest_references, require_counts, states
from tests.support.audio_files import tone
from tests.support.databases import Database


def losses(root: bytes = b"/m", **counts: tuple[int, int]) -> list[tuple[bytes, int, int]]:
    """Return the reported folders. `counts` are the lost and all files by folder name."""
    files = sorted(
        (b"/m/" + name.replace("_", "/").encode() + b"/%03d" % number, number < lost)
        for name, (lost, known) in counts.items()
        for number in range(known)
    )
    found: Sequence[FolderLoss] = folders_with_heavy_losses(files, [root], max_share=0.2)
    return [(each.folder, each.lost, each.known) for each in found]


@pytest.mark.parametrize(
    ("lost", "expected"),
    [(19, []), (20, []), (21, [(b"/m/a", 21, 100)]), (100, [(b"/m/a", 100, 100)])],
)
def test_a_share_above_the_limit_is_reported(
    lost: int, expected: list[tuple[bytes, int, int]]
) -> None:
    assert losses(a=(lost, 100), b=(0, 500)) == expected


def test_a_few_lost_files_are_never_reported() -> None:
    assert losses(a=(19, 19)) == []


def test_a_lost_subfolder_of_a_large_library_is_reported() -> None:
    assert losses(a=(0, 400), share_x=(15, 20), share_y=(15, 20)) == [(b"/m/share", 30, 40)]
    assert losses(b"/m/share", share_x=(30, 30)) == [(b"/m/share", 30, 30)]


def library(folder: Path, count: int = 24) -> Path:
    for number in range(count):
        name = "share" if number < 21 else "other"
        tone(folder / name / f"{number}.wav", 200 + 10 * number, seconds=1)
    return folder


def test_a_share_that_is_offline_removes_nothing_and_can_return(
    fresh_database: Database, tmp_path: Path
) -> None:
    folder = library(tmp_path / "library")
    ingest_references(folder)
    (folder / "share").rename(tmp_path / "offline")
    tone(folder / "other" / "new.wav", 900)
    reported: list[FolderLoss] = []
    counts = ingest_references(folder, on_withheld=reported.extend)
    require_counts(counts, seen=4, unchanged=3, added=1, withheld=21)
    assert reported == [FolderLoss(str(folder).encode(), 21, 24)]
    assert set(states(fresh_database).values()) == {"ok"}
    (tmp_path / "offline").rename(folder / "share")
    require_counts(ingest_references(folder), seen=25, unchanged=25)


def test_the_removal_can_be_accepted(
    fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = library(tmp_path / "library")
    ingest_references(folder)
    (folder / "share").rename(tmp_path / "offline")
    require_counts(ingest_references(folder), seen=3, unchanged=3, withheld=21)
    require_counts(ingest_references(folder, allow_removal=True), seen=3, unchanged=3, gone=21)
    (tmp_path / "offline").rename(folder / "share")
    require_counts(ingest_references(folder), seen=24, unchanged=3, returned=21)
    monkeypatch.setenv("MIRPIPE_MAX_REMOVED_SHARE", "1")
    settings.cache_clear()
    (folder / "share").rename(tmp_path / "offline")
    require_counts(ingest_references(folder), seen=3, unchanged=3, gone=21)


def test_a_renamed_folder_has_lost_nothing(fresh_database: Database, tmp_path: Path) -> None:
    folder = library(tmp_path / "library")
    ingest_references(folder)
    (folder / "share").rename(folder / "renamed")
    require_counts(ingest_references(folder), seen=24, unchanged=3, moved=21)
