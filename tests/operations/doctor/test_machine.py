"""Tests for the checks of Python, packages, disks, GPUs and plug-ins, each with a problem."""

import hashlib
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from mirpipe.audio.chromaprint import _load
from mirpipe.models import weight_verification
from mirpipe.operations.doctor import machine, packages, plugins
from mirpipe.operations.doctor.finding import Finding
from mirpipe.settings import settings
from tests.support.fake_encoders import wanting
from tests.support.fake_plugins import add_fakes

Usage = namedtuple("Usage", "total used free")


def configure(monkeypatch: pytest.MonkeyPatch, **values: object) -> None:
    for name, value in values.items():
        monkeypatch.setenv(f"MIRPIPE_{name.upper()}", str(value))
    settings.cache_clear()


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a program that lists one GPU, as NVIDIA's driver does."""
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'NVIDIA H200, 143771 MiB'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")


def test_another_python_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [finding.level for finding in packages.python()] == ["ok"]
    monkeypatch.setattr(sys, "version_info", (3, 13, 1))
    (finding,) = packages.python()
    assert (finding.level, finding.remedy) == (
        "problem",
        "run mirpipe with Python 3.11: its packages are locked for that version",
    )


def test_packages_are_compared_with_the_lock(tmp_path: Path) -> None:
    lock = tmp_path / "core.txt"
    lock.write_text(
        "numpy==0.1 \\\n    --hash=sha256:00\n    # via librosa\n"
        "no-such-thing==1 \\\n    --hash=sha256:00\n"
        "colorama==1 ; sys_platform == 'win32' \\\n    --hash=sha256:00\n"
    )
    missing, different = packages.locked(lock)
    assert (missing.level, missing.message) == ("problem", "missing: no-such-thing")
    assert different.level == "warning"
    assert different.message.endswith("instead of 0.1")
    assert "make setup" in different.remedy


def test_the_packages_of_this_interpreter_are_as_locked() -> None:
    (finding,) = packages.locked()
    assert finding.level == "ok", finding.message


@pytest.mark.parametrize(
    ("free", "level"), [(50 << 30, "ok"), (5 << 30, "warning"), (1 << 20, "problem")]
)
def test_little_free_disk_space_is_reported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free: int, level: str
) -> None:
    configure(monkeypatch, home=tmp_path / "not" / "there" / "yet")
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda _: Usage(100 << 30, 0, free))
    (finding,) = machine.disk()
    assert finding.level == level
    assert str(tmp_path) in finding.message


def test_a_folder_that_cannot_be_written_is_a_problem(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    configure(monkeypatch, home=tmp_path)
    monkeypatch.setattr(machine.os, "access", lambda *_: False)  # root can write to every folder
    levels = {
        finding.level for finding in machine.disk() if "no permission to write" in finding.message
    }
    assert levels == {"problem"}


def test_graphics_cards_are_listed(driver: None) -> None:
    assert list(machine.gpu()) == [Finding("gpu", "ok", "NVIDIA H200, 143771 MiB")]


def test_a_missing_graphics_card_is_a_problem_only_if_configured(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert [finding.level for finding in machine.gpu()] == ["ok"]
    configure(monkeypatch, device="cuda")
    (finding,) = machine.gpu()
    assert finding.level == "problem"
    assert "MIRPIPE_DEVICE=auto" in finding.remedy


def test_a_models_interpreter_that_cannot_run_is_a_problem(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    configure(monkeypatch, models_python="/bin/false")
    (finding,) = plugins.interpreter()
    assert finding.level == "problem"
    assert "/bin/false" in finding.message
    assert "mirpipe models install" in finding.remedy


def test_a_torch_that_cannot_use_the_graphics_card_is_reported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, driver: None
) -> None:
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho \'{"torch": "2.13.0+cpu", "python": "3.11"}\'\n')
    python.chmod(0o755)
    configure(monkeypatch, models_python=python)
    (finding,) = plugins.interpreter()
    assert (finding.level, "--torch cuda" in finding.remedy) == ("warning", True)
    configure(monkeypatch, device="cpu")
    assert [finding.level for finding in plugins.interpreter()] == ["ok"]


def test_the_included_plugins_can_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    configure(monkeypatch, home=tmp_path)
    assert {finding.check: finding.level for finding in plugins.configured()} == {
        "encoder musicnn": "ok",
        "encoder signal": "ok",
        "captioner features": "ok",
        "generator resynth": "ok",
    }


def test_missing_weights_and_unknown_plugins_are_problems(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    configure(monkeypatch, home=tmp_path, encoders="clap,nobody", captioner="", generators="")
    missing, unknown = plugins.configured()
    assert (missing.level, missing.remedy) == ("problem", "run `mirpipe models pull clap`")
    assert "is missing" in missing.message
    assert (unknown.level, unknown.check) == ("problem", "encoder nobody")


def test_weights_that_were_trusted_on_first_use_are_reported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    add_fakes(monkeypatch, "encoders")
    weights = tmp_path / wanting.CHECKPOINT.repository / wanting.CHECKPOINT.filename
    weights.parent.mkdir(parents=True)
    weights.write_bytes(b"abc")
    home = tmp_path / "home"
    configure(monkeypatch, home=home, models_dir=tmp_path, encoders="wanting", generators="")
    (unconfirmed, _) = plugins.configured()
    assert (unconfirmed.level, "states no SHA-256" in unconfirmed.message) == ("problem", True)
    weight_verification.trust(wanting.CHECKPOINT, hashlib.sha256(b"abc").hexdigest())
    (trusted, _) = plugins.configured()
    assert trusted.level == "ok"
    assert "trusted on first use on 20" in trusted.message


def test_random_weights_are_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    add_fakes(monkeypatch, "encoders")
    weights = tmp_path / wanting.CHECKPOINT.repository / wanting.CHECKPOINT.filename
    weights.parent.mkdir(parents=True)
    weights.write_bytes(b"abc")
    home = tmp_path / "home"
    configure(monkeypatch, home=home, stand_ins=tmp_path, encoders="wanting", generators="")
    finding = next(iter(plugins.configured()))
    assert finding.level == "warning"
    assert "meaningless" in finding.message


def test_a_missing_ffmpeg_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _name: "/usr/bin/ffmpeg")
    assert list(machine.ffmpeg()) == [Finding("ffmpeg", "ok", "installed")]
    monkeypatch.setattr("shutil.which", lambda _name: None)
    (finding,) = machine.ffmpeg()
    assert finding.level == "warning"
    assert "apt-get install ffmpeg" in finding.remedy


def test_a_missing_chromaprint_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mirpipe.audio.chromaprint._FILE", "libchromaprint.so.missing")
    monkeypatch.setattr("mirpipe.audio.chromaprint._load", _load.__wrapped__)
    (finding,) = machine.chromaprint()
    assert finding.level == "warning"
    assert "same recording are not found" in finding.message
    assert "apt-get install libchromaprint1" in finding.remedy
