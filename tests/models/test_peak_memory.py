"""The largest memory of a process is measured from a chosen moment on."""

import numpy as np
import pytest

from mirpipe.models import peak_memory

MEBIBYTE = 2**20


def test_memory_that_was_released_counts_until_the_reset() -> None:
    peak_memory.reset()
    before = peak_memory.read("cpu")
    large = np.ones(128 * MEBIBYTE, np.uint8)
    del large
    after = peak_memory.read("cpu")
    assert before is not None
    assert after is not None
    assert after - before > 100 * MEBIBYTE
    peak_memory.reset()
    reset = peak_memory.read("cpu")
    assert reset is not None
    assert after - reset > 100 * MEBIBYTE


def test_without_the_files_of_linux_nothing_is_measured(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    missing = tmp_path_factory.mktemp("proc") / "missing" / "file"
    monkeypatch.setattr(peak_memory, "_CLEAR", missing)
    monkeypatch.setattr(peak_memory, "_STATUS", missing)
    peak_memory.reset()
    assert peak_memory.read("cpu") is None
