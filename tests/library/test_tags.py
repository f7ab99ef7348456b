"""Titles and labels are read from the tags of files in several formats."""

import os
from pathlib import Path

import mutagen
import pytest
from mutagen.id3 import TBPM, TIT2, TPE1

from mirpipe.library.tags import Tags, read_tags
from tests.support import encoded_audio


@pytest.mark.parametrize("kind", ["FLAC", "OGG", "MP3"])
def test_tags_are_read_from_every_format(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"a.{kind.lower()}"
    path.write_bytes(encoded_audio.encode(kind))
    file = mutagen.File(path, easy=True)
    if file.tags is None:
        file.add_tags()
    file.update({"title": "Jasmine 茉莉花", "artist": "Ann", "genre": "folk", "bpm": "96"})
    file.save()
    tags = read_tags(os.fsencode(path))
    assert tags.title == "Jasmine 茉莉花"
    assert tags.labels == {"artist": "Ann", "genre": "folk", "bpm": "96"}


def test_an_id3_tag_in_a_wav_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(encoded_audio.encode("WAV"))
    file = mutagen.File(path)
    file.add_tags()
    for frame in (TIT2(text="Title"), TPE1(text="Ann"), TBPM(text="120")):
        file.tags.add(frame)
    file.save()
    assert read_tags(os.fsencode(path)) == Tags("Title", {"artist": "Ann", "bpm": "120"})


def test_unprintable_characters_and_text_beyond_500_characters_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    path.write_bytes(encoded_audio.encode("FLAC"))
    file = mutagen.File(path, easy=True)
    file.update({"title": "two\nlines\0" + "x" * 10_000, "artist": " \0 "})
    file.save()
    tags = read_tags(os.fsencode(path))
    assert tags.title.startswith("twolinesxx")
    assert len(tags.title) == 500
    assert tags.labels == {}


@pytest.mark.parametrize(
    "content", [b"", b"no music", b"ID3\4\0\0\x7f\x7f\x7f\x7f", b"fLaC\xff\xff\xff\xff"]
)
def test_damaged_tags_are_ignored(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.mp3").write_bytes(content)
    assert read_tags(os.fsencode(tmp_path / "a.mp3")) == Tags("", {})
