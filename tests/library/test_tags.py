"""Tags: what files of each format say of themselves."""

import os
from pathlib import Path

import mutagen
import pytest
from mutagen.id3 import TBPM, TIT2, TPE1

from mirpipe.library import tags
from tests.support import hostile_files


@pytest.mark.parametrize("kind", ["FLAC", "OGG", "MP3"])
def test_easy_tags_of_every_format_are_read(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"a.{kind.lower()}"
    path.write_bytes(hostile_files.encode(kind))
    file = mutagen.File(path, easy=True)
    if file.tags is None:
        file.add_tags()
    file.update({"title": "Jasmine 茉莉花", "artist": "Ann", "genre": "folk", "bpm": "96"})
    file.save()
    found = tags.read(os.fsencode(path))
    assert found.title == "Jasmine 茉莉花"
    assert found.labels == {"artist": "Ann", "genre": "folk", "bpm": "96"}


def test_id3_inside_wav_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(hostile_files.encode("WAV"))
    file = mutagen.File(path)
    file.add_tags()
    for frame in (TIT2(text="Title"), TPE1(text="Ann"), TBPM(text="120")):
        file.tags.add(frame)
    file.save()
    assert tags.read(os.fsencode(path)) == tags.Tags("Title", {"artist": "Ann", "bpm": "120"})


def test_text_that_cannot_be_stored_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    path.write_bytes(hostile_files.encode("FLAC"))
    file = mutagen.File(path, easy=True)
    file.update({"title": "two\nlines\0" + "x" * 10_000, "artist": " \0 "})
    file.save()
    found = tags.read(os.fsencode(path))
    assert found.title.startswith("twolinesxx")
    assert len(found.title) == 500
    assert found.labels == {}


@pytest.mark.parametrize(
    "content", [b"", b"no music", b"ID3\4\0\0\x7f\x7f\x7f\x7f", b"fLaC\xff\xff\xff\xff"]
)
def test_damaged_tags_are_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.mp3").write_bytes(content)
    assert tags.read(os.fsencode(tmp_path / "a.mp3")) == tags.Tags("", {})
