"""Names as text, and what is opened."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirpipe.audio import open_regular, show
from mirpipe.errors import RejectedInput

names = st.binary(min_size=1).filter(lambda name: b"\0" not in name)
almost_the_same = st.text("\\x0f1\n\xe9é", min_size=1).map(os.fsencode)


@given(names | almost_the_same, names | almost_the_same)
def test_different_paths_are_shown_as_different_texts(one: bytes, other: bytes) -> None:
    assert (show(one) == show(other)) == (one == other)


@given(names)
def test_a_shown_path_is_one_printable_line(name: bytes) -> None:
    assert show(name).isprintable()


def test_a_plain_unicode_path_is_shown_as_it_is() -> None:
    assert show(Path("/music/小白菜（二胡）.ogg")) == "/music/小白菜（二胡）.ogg"


def test_backslashes_and_bytes_are_told_apart() -> None:
    assert show(b"\xff\n") == r"\xff\x0a"
    assert show(rb"\xff") == r"\\xff"


def test_a_pipe_is_refused_without_waiting_for_its_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    with pytest.raises(RejectedInput) as refused, open_regular(tmp_path / "pipe.wav"):
        pass
    assert refused.value.reason == "not_a_file"
