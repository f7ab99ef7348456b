"""How many cores count: no more than the container may use."""

from pathlib import Path

import pytest

from mirpipe import settings


@pytest.mark.parametrize(
    ("written", "expected"),
    [("max 100000", 8), ("200000 100000", 2), ("50000 100000", 1), ("1600000 100000", 8)],
)
def test_a_containers_limit_counts(
    written: str, expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = tmp_path / "cpu.max"
    limit.write_text(f"{written}\n")
    monkeypatch.setattr(settings, "_CPU_LIMIT", limit)
    monkeypatch.setattr(settings.os, "sched_getaffinity", lambda _: range(8), raising=False)
    assert settings.cores() == expected


def test_without_a_control_group_the_affinity_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "_CPU_LIMIT", tmp_path / "none")
    monkeypatch.setattr(settings.os, "sched_getaffinity", lambda _: range(3), raising=False)
    assert settings.cores() == 3
