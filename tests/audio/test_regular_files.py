"""Only regular files are opened."""

import os
from pathlib import Path

import pytest

from mirpipe.audio import open_regular_file
from mirpipe.errors import RejectedInput


def test_a_pipe_is_rejected_without_waiting_for_its_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    with pytest.raises(RejectedInput) as rejected, open_regular_file(tmp_path / "pipe.wav"):
        pass
    assert rejected.value.reason == "not_a_file"
