"""Titles and labels are read from the tags of files in all formats."""

import os
import struct
from pathlib import Path

import mutagen
import pytest
from mutagen.apev2 import APEv2
from mutagen.asf import ASF
from mutagen.flac import FLAC
from mutagen.id3 import ID3, TALB, TBPM, TCON, TIT2, TPE1
from mutagen.mp4 import MP4

from mirpipe.library.tags import FileTags, Tags, decode_western, read_tags
from tests.support import encoded_audio

needs_ffmpeg = pytest.mark.skipif(not encoded_audio.HAS_FFMPEG, reason="needs ffmpeg")


def tags_of(path: Path) -> Tags:
    return read_tags(os.fsencode(path)).decode(decode_western)


def write(path: Path, kind: str) -> Path:
    path.write_bytes(encoded_audio.encode(kind))
    return path


@pytest.mark.parametrize("kind", ["FLAC", "OGG", "MP3"])
def test_tags_are_read_from_every_format(tmp_path: Path, kind: str) -> None:
    path = write(tmp_path / f"a.{kind.lower()}", kind)
    file = mutagen.File(path, easy=True)
    if file.tags is None:
        file.add_tags()
    file.update({"title": "Jasmine 茉莉花", "artist": "Ann", "genre": "folk", "bpm": "96"})
    file.save()
    tags = tags_of(path)
    assert tags.title == "Jasmine 茉莉花"
    assert tags.labels == {"artist": "Ann", "genre": "folk", "bpm": "96"}


@needs_ffmpeg
@pytest.mark.parametrize(
    ("suffix", "options"),
    [
        ("wav", []),
        ("rf64", ["-f", "wav", "-rf64", "always"]),
        ("mka", []),
        ("webm", ["-c:a", "libopus"]),
        ("caf", []),
        ("tta", []),
        ("wma", []),
        ("m4a", []),
        ("flac", []),
        ("ogg", ["-c:a", "libvorbis"]),
        ("opus", ["-c:a", "libopus"]),
        ("wv", []),
        ("aiff", ["-write_id3v2", "1"]),
        ("aac.mka", ["-c:a", "aac"]),
    ],
)
def test_every_container_gives_the_same_labels(
    tmp_path: Path, suffix: str, options: list[str]
) -> None:
    """Public report: mutagen#207, and its pull requests 538 and 726."""
    path = tmp_path / f"a.{suffix}"
    written = {
        **{"title": "Jasmine 茉莉花", "artist": "Ann", "album": "Tea; Two"},
        **{"genre": "Jazz", "date": "1999", "track": "3"},
    }
    metadata = [part for item in written.items() for part in ("-metadata", "=".join(item))]
    encoded_audio.encode_with_ffmpeg(path, *options, *metadata)
    tags = read_tags(os.fsencode(path)).decode(lambda value: value.decode())
    assert tags.title == "Jasmine 茉莉花"
    expected = {"artist": "Ann", "album": "Tea; Two", "genre": "Jazz"}
    assert expected.items() <= tags.labels.items()
    assert tags.labels.get("date", "1999") == "1999"


@needs_ffmpeg
def test_the_text_chunks_of_aiff_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.aiff"
    encoded_audio.encode_with_ffmpeg(path, "-metadata", "title=T", "-metadata", "author=Ann")
    assert tags_of(path) == Tags("T", {"artist": "Ann"})


def test_an_id3_tag_in_a_wav_file_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", "WAV")
    file = mutagen.File(path)
    file.add_tags()
    for frame in (TIT2(text="Title"), TPE1(text="Ann"), TBPM(text="120")):
        file.tags.add(frame)
    file.save()
    assert tags_of(path) == Tags("Title", {"artist": "Ann", "bpm": "120"})


def test_the_id3_tag_of_a_wav_file_takes_precedence_over_its_info_list(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", "WAV")
    body = b"INFO"
    for name, text in ((b"INAM", b"Old\0"), (b"IART", b"Ann\0\0\0")):
        body += struct.pack("<4sI", name, len(text)) + text
    audio = path.read_bytes() + struct.pack("<4sI", b"LIST", len(body)) + body
    path.write_bytes(audio[:4] + struct.pack("<I", len(audio) - 8) + audio[8:])
    assert tags_of(path) == Tags("Old", {"artist": "Ann"})
    file = mutagen.File(path)
    file.add_tags()
    file.tags.add(TIT2(text="New"))
    file.save()
    assert tags_of(path) == Tags("New", {"artist": "Ann"})


@pytest.mark.parametrize("suffix", ["mp3", "aac"])
def test_an_apev2_tag_is_read_if_there_is_no_other(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"a.{suffix}", "MP3")
    ape = APEv2()
    ape.update({"Title": "Title", "Artist": ["Ann", "Bo"], "Album Artist": "Ann", "Year": "1999"})
    ape.save(path)
    labels = {"artist": "Ann; Bo", "albumartist": "Ann", "date": "1999"}
    assert tags_of(path) == Tags("Title", labels)


def test_fields_that_id3_lacks_come_from_apev2(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp3", "MP3")
    ape = APEv2()
    ape.update({"Title": "Old", "Genre": "Jazz"})
    ape.save(path)
    id3 = ID3()
    id3.add(TIT2(text="New"))
    id3.save(path)
    assert tags_of(path) == Tags("New", {"genre": "Jazz"})


def genre_of(path: Path) -> str | None:
    return tags_of(path).labels.get("genre")


@pytest.mark.parametrize(
    ("texts", "genre"),
    [
        (["Jazz; Bossa Nova"], "Jazz; Bossa Nova"),
        (["Jazz", "Bossa Nova", "jazz"], "Jazz; Bossa Nova"),
        (["17"], "Rock"),
        (["(17)"], "Rock"),
        (["(17)(8)"], "Rock; Jazz"),
        (["(17)Psychedelic"], "Rock; Psychedelic"),
        (["255"], None),
        (["Unknown"], None),
        (["80s"], "80s"),
        (["Folk, World, & Country"], "Folk, World, & Country"),
        (["Hip-Hop/Rap"], "Hip-Hop/Rap"),
        (["; ;"], None),
    ],
)
def test_all_genres_of_a_track_are_kept(
    tmp_path: Path, texts: list[str], genre: str | None
) -> None:
    """Public report: gonic#416."""
    mp3, flac = write(tmp_path / "a.mp3", "MP3"), write(tmp_path / "a.flac", "FLAC")
    id3 = ID3()
    id3.add(TCON(encoding=3, text=texts))
    id3.save(mp3, v2_version=4)
    vorbis = FLAC(flac)
    vorbis["genre"] = texts
    vorbis.save()
    assert genre_of(mp3) == genre
    assert genre_of(flac) == genre


@needs_ffmpeg
def test_all_genres_of_mp4_and_asf_are_kept(tmp_path: Path) -> None:
    m4a, wma = tmp_path / "a.m4a", tmp_path / "a.wma"
    for path in (m4a, wma):
        encoded_audio.encode_with_ffmpeg(path)
    mp4 = MP4(m4a)
    mp4["\xa9gen"], mp4["trkn"], mp4["tmpo"] = ["Jazz", "Bossa Nova"], [(3, 12)], [96]
    mp4.save()
    asf = ASF(wma)
    asf["WM/Genre"] = ["Jazz", "Bossa Nova"]
    asf.save()
    assert tags_of(m4a).labels == {
        "genre": "Jazz; Bossa Nova",
        "tracknumber": "3/12",
        "bpm": "96",
    }
    assert genre_of(wma) == "Jazz; Bossa Nova"


def test_a_genre_number_in_id3v1_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp3", "MP3")
    fields = (b"Title".ljust(30, b"\0"), b"Ann".ljust(30, b"\0"))
    path.write_bytes(path.read_bytes() + b"TAG" + b"".join(fields).ljust(124, b"\0") + bytes([8]))
    assert tags_of(path) == Tags("Title", {"artist": "Ann", "genre": "Jazz"})


def test_text_that_is_marked_as_latin1_is_kept_as_bytes(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp3", "MP3")
    id3 = ID3()
    id3.add(TIT2(encoding=0, text="周杰伦".encode("gbk").decode("latin-1")))
    id3.add(TPE1(encoding=0, text="Ann"))
    id3.add(TALB(encoding=3, text="Björk"))
    id3.save(path)
    assert read_tags(os.fsencode(path)) == FileTags(
        {"artist": ("Ann",), "album": ("Björk",)}, {"title": ("周杰伦".encode("gbk"),)}
    )


def test_only_control_characters_and_text_beyond_500_characters_are_left_out(
    tmp_path: Path,
) -> None:
    path = write(tmp_path / "a.flac", "FLAC")
    joined = "نیم\N{ZERO WIDTH NON-JOINER}فاصله"
    file = mutagen.File(path, easy=True)
    file.update(
        {
            "title": "two\nlines\0" + "x" * 10_000,
            "artist": " \0 ",
            "album": "宇多田\N{IDEOGRAPHIC SPACE}ヒカル",
            "composer": joined,
        }
    )
    file.save()
    tags = tags_of(path)
    assert tags.title.startswith("two linesxx")
    assert len(tags.title) == 500
    assert tags.labels == {"album": "宇多田 ヒカル", "composer": joined}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no music",
        b"ID3\4\0\0\x7f\x7f\x7f\x7f",
        b"fLaC\xff\xff\xff\xff",
        b"RIFF\xff\xff\xff\xffWAVELIST\xff\xff\xff\xffINFOINAM\xff\xff\xff\xff",
        b"RF64\xff\xff\xff\xffWAVEds64\x04\0\0\0\0\0\0\0data\xff\xff\xff\xff",
        b"\x1aE\xdf\xa3",
    ],
)
def test_damaged_tags_are_ignored(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.mp3").write_bytes(content)
    assert tags_of(tmp_path / "a.mp3") == Tags("", {})
