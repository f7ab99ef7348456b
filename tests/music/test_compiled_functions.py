"""librosa's functions are compiled once for all processes of a user."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from mirpipe.music import features
from mirpipe.music.compile_in_background import compile_in_background
from mirpipe.music.compiled_functions import use_compiled_functions
from mirpipe.music.features.conditioning_audio import conditioning
from mirpipe.music.numba_cache import VARIABLE, claimed_folder
from mirpipe.plugins.encoders.signal import Statistics
from mirpipe.records import AudioSegment
from tests.music.synthetic_tunes import drum_loop, tune
from tests.support.waiting import eventually

# Compiling takes too long for a test, so a file stands for the compiled functions.
USE = """
import os, sys
from pathlib import Path
from mirpipe.music import compiled_functions
from mirpipe.music.numba_cache import claim_cache

root = Path(sys.argv[1])
claim_cache(root)
folder = Path(os.environ["NUMBA_CACHE_DIR"])

def compile():
    print("compiling", flush=True)
    sys.stdin.readline()
    (folder / "function.nbi").write_text("compiled")

compiled_functions._compile = compile
print("started", flush=True)
compiled_functions.use_compiled_functions()
print("compiled" if (folder / "function.nbi").exists() else "not compiled", flush=True)
"""


def start(root: Path, inherited: Path | None = None) -> subprocess.Popen[str]:
    """Start a process whose parent uses the cache folder `inherited`, or one below `root`."""
    return subprocess.Popen(
        [sys.executable, "-c", USE, str(root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {VARIABLE: str(inherited or root / "0")},
    )


def wait_for(process: subprocess.Popen[str], *expected: str) -> None:
    assert process.stdout is not None
    assert [process.stdout.readline().strip() for _ in expected] == list(expected)


def waits_for_a_lock(process: subprocess.Popen[Any]) -> bool:
    """Return whether the kernel lists the process as blocked by a file lock."""
    locks = Path("/proc/locks").read_text().splitlines()
    return any("->" in line and str(process.pid) in line.split() for line in locks)


def test_a_second_process_waits_and_copies_the_functions(tmp_path: Path) -> None:
    first = start(tmp_path)
    wait_for(first, "started", "compiling")
    second = start(tmp_path)
    wait_for(second, "started")
    eventually(lambda: waits_for_a_lock(second), seconds=20)
    output, _ = first.communicate("\n")
    assert output.splitlines() == ["compiled"]
    assert second.communicate()[0].splitlines() == ["compiled"]


def test_after_a_killed_compilation_the_next_process_compiles(tmp_path: Path) -> None:
    first = start(tmp_path)
    wait_for(first, "started", "compiling")
    first.kill()
    first.wait()
    second = start(tmp_path)
    assert second.communicate("\n")[0].splitlines() == ["started", "compiling", "compiled"]
    third = start(tmp_path)
    assert third.communicate()[0].splitlines() == ["started", "compiled"]


def test_the_compilation_in_the_background_has_the_lock_of_all_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "mirpipe" / "numba"
    root.mkdir(parents=True)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv(VARIABLE, str(root / "0"))
    with (root / "compiled.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        process = compile_in_background()
        eventually(lambda: waits_for_a_lock(process), seconds=20)
        process.kill()
        eventually(lambda: not psutil.pid_exists(process.pid))


def test_the_shared_functions_are_all_that_are_needed() -> None:
    use_compiled_functions()
    folder = claimed_folder()
    assert folder is not None
    compiled = set(folder.rglob("*.nb*"))
    samples = np.r_[tune(), drum_loop()]
    features.measure(samples)
    conditioning(AudioSegment(samples, features.SAMPLE_RATE))
    Statistics()(samples)
    assert compiled
    assert set(folder.rglob("*.nb*")) == compiled


def test_nothing_happens_in_a_folder_that_the_user_chose(tmp_path: Path) -> None:
    process = start(tmp_path / "root", inherited=tmp_path / "chosen")
    assert process.communicate()[0].splitlines() == ["started", "not compiled"]
    assert not (tmp_path / "root").exists()
