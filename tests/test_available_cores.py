"""The number of cores is limited by the affinity and by the container."""

from pathlib import Path

import pytest

from mirpipe import available_cores


@pytest.mark.parametrize(
    ("limit", "expected"),
    [("max 100000", 8), ("200000 100000", 2), ("50000 100000", 1), ("1600000 100000", 8)],
)
def test_cores_are_limited_by_the_container(
    limit: str, expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "cpu.max"
    file.write_text(f"{limit}\n")
    monkeypatch.setattr(available_cores, "_CONTAINER_CPU_LIMIT", file)
    monkeypatch.setattr(available_cores.os, "sched_getaffinity", lambda _: range(8), raising=False)
    assert available_cores.available_cores() == expected


def test_cores_are_those_of_the_affinity_without_a_control_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(available_cores, "_CONTAINER_CPU_LIMIT", tmp_path / "none")
    monkeypatch.setattr(available_cores.os, "sched_getaffinity", lambda _: range(3), raising=False)
    assert available_cores.available_cores() == 3
