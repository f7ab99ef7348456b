"""Each running process has its own numba cache folder, which is reused after it has ended."""

import subprocess
import sys
from pathlib import Path

import pytest

from mirpipe.music.numba_cache import VARIABLE

CLAIM = """
import os, sys
from pathlib import Path
from mirpipe.music.numba_cache import claim_cache
claim_cache(Path(sys.argv[1]))
print(os.environ["NUMBA_CACHE_DIR"], flush=True)
sys.stdin.read()
"""


def start(root: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CLAIM, str(root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def folder_of(process: subprocess.Popen[str]) -> Path:
    assert process.stdout is not None
    return Path(process.stdout.readline().strip())


def test_parallel_processes_have_different_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A mirpipe child process inherits this variable.
    monkeypatch.setenv(VARIABLE, str(tmp_path / "0"))
    first, second = start(tmp_path), start(tmp_path)
    assert {folder_of(first), folder_of(second)} == {tmp_path / "0", tmp_path / "1"}
    first.kill()
    second.kill()
    first.wait()
    second.wait()
    third = start(tmp_path)
    assert folder_of(third) == tmp_path / "0"
    third.communicate()


def test_folder_that_the_user_chose_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "chosen"))
    process = start(tmp_path / "root")
    assert folder_of(process) == tmp_path / "chosen"
    process.communicate()
