"""Checks of interpreter, packages, disks, cards and plug-ins, each thing broken once."""

import sys
from collections import namedtuple
from pathlib import Path

import pytest

from mirpipe.operations.doctor import machine, packages, plugins
from mirpipe.operations.doctor.finding import Finding
from mirpipe.settings import settings
from tests.support.fake_encoders import wanting
from tests.support.fake_plugins import add_fakes

Usage = namedtuple("Usage", "total used free")


def chosen(monkeypatch: pytest.MonkeyPatch, **values: object) -> None:
    for name, value in values.items():
        monkeypatch.setenv(f"MIRPIPE_{name.upper()}", str(value))
    settings.cache_clear()


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that shows a card, as NVIDIA's driver would."""
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'NVIDIA H200, 143771 MiB'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")


def test_another_python_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [one.level for one in packages.python()] == ["ok"]
    monkeypatch.setattr(sys, "version_info", (3, 13, 1))
    (found,) = packages.python()
    assert (found.level, found.remedy) == (
        "problem",
        "run mirpipe with Python 3.11, whose packages are locked",
    )


def test_packages_are_held_to_the_lock(tmp_path: Path) -> None:
    lock = tmp_path / "core.txt"
    lock.write_text(
        "numpy==0.1 \\\n    --hash=sha256:00\n    # via librosa\n"
        "no-such-thing==1 \\\n    --hash=sha256:00\n"
        "colorama==1 ; sys_platform == 'win32' \\\n    --hash=sha256:00\n"
    )
    missing, other = packages.locked(lock)
    assert (missing.level, missing.message) == ("problem", "missing: no-such-thing")
    assert other.level == "warning"
    assert other.message.endswith("in place of 0.1")
    assert "make setup" in other.remedy


def test_this_interpreter_is_as_locked() -> None:
    (found,) = packages.locked()
    assert found.level == "ok", found.message


@pytest.mark.parametrize(
    ("free", "level"), [(50 << 30, "ok"), (5 << 30, "warning"), (1 << 20, "problem")]
)
def test_little_room_on_a_disk_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free: int, level: str
) -> None:
    chosen(monkeypatch, home=tmp_path / "not" / "there" / "yet")
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda _: Usage(100 << 30, 0, free))
    (found,) = machine.disk()
    assert found.level == level
    assert str(tmp_path) in found.message


def test_a_folder_that_cannot_be_written_is_a_problem(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    chosen(monkeypatch, home=tmp_path)
    monkeypatch.setattr(machine.os, "access", lambda *_: False)  # root may write everywhere
    assert {one.level for one in machine.disk() if "cannot be written" in one.message} == {
        "problem"
    }


def test_cards_are_named(driver: None) -> None:
    assert list(machine.gpu()) == [Finding("gpu", "ok", "NVIDIA H200, 143771 MiB")]


def test_a_card_that_is_asked_for_and_missing_is_a_problem(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert [one.level for one in machine.gpu()] == ["ok"]
    chosen(monkeypatch, device="cuda")
    (found,) = machine.gpu()
    assert found.level == "problem"
    assert "MIRPIPE_DEVICE=auto" in found.remedy


def test_an_interpreter_of_the_models_that_cannot_run_is_a_problem(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chosen(monkeypatch, models_python="/bin/false")
    (found,) = plugins.interpreter()
    assert found.level == "problem"
    assert "/bin/false" in found.message
    assert "make models" in found.remedy


def test_a_torch_that_cannot_use_the_card_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, driver: None
) -> None:
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho \'{"torch": "2.13.0+cpu", "python": "3.11"}\'\n')
    python.chmod(0o755)
    chosen(monkeypatch, models_python=python)
    (found,) = plugins.interpreter()
    assert (found.level, "TORCH=cuda" in found.remedy) == ("warning", True)
    chosen(monkeypatch, device="cpu")
    assert [one.level for one in plugins.interpreter()] == ["ok"]


def test_plugins_that_ship_can_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    chosen(monkeypatch, home=tmp_path)
    assert {one.check: one.level for one in plugins.wanted()} == {
        "encoder musicnn": "ok",
        "encoder signal": "ok",
        "captioner features": "ok",
        "generator resynth": "ok",
    }


def test_missing_weights_and_unknown_plugins_are_problems(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    chosen(monkeypatch, home=tmp_path, encoders="clap,nobody", captioner="", generators="")
    missing, unknown = plugins.wanted()
    assert (missing.level, missing.remedy) == ("problem", "`mirpipe models pull clap`")
    assert "is missing" in missing.message
    assert (unknown.level, unknown.check) == ("problem", "encoder nobody")


def test_random_weights_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    add_fakes(monkeypatch, "encoders")
    weights = tmp_path / wanting.CHECKPOINT.repository / wanting.CHECKPOINT.filename
    weights.parent.mkdir(parents=True)
    weights.write_bytes(b"abc")
    home = tmp_path / "home"
    chosen(monkeypatch, home=home, stand_ins=tmp_path, encoders="wanting", generators="")
    found = next(iter(plugins.wanted()))
    assert found.level == "warning"
    assert "nothing about music" in found.message
