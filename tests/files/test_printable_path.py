"""Printable paths are unambiguous, fit on one line, and are readable in every script."""

import os
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from mirpipe.files.printable_path import printable_path

names = st.binary(min_size=1).filter(lambda name: b"\0" not in name)
# The names contain only a few different characters, so two names are often equal or almost equal.
similar_names = st.text("\\x0f1\n\xe9é", min_size=1).map(os.fsencode)


@given(names | similar_names, names | similar_names)
def test_different_paths_give_different_texts(first: bytes, second: bytes) -> None:
    assert (printable_path(first) == printable_path(second)) == (first == second)


@given(names)
def test_the_text_is_one_printable_line(name: bytes) -> None:
    assert printable_path(name).isprintable()


def test_a_path_in_chinese_script_stays_as_it_is() -> None:
    assert printable_path(Path("/music/小白菜（二胡）.ogg")) == "/music/小白菜（二胡）.ogg"


def test_a_backslash_differs_from_an_escaped_byte() -> None:
    assert printable_path(b"\xff\n") == r"\xff\x0a"
    assert printable_path(rb"\xff") == r"\\xff"
