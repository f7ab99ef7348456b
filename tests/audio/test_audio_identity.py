"""The identity of a file's audio: equal after every change of tags and container."""

import shutil
import subprocess
from pathlib import Path

import mutagen
import numpy as np
import pytest
from mutagen.apev2 import APEv2

from mirpipe.audio import AudioIdentity, identify, read_audio_facts
from tests.support import encoded_audio

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not encoded_audio.HAS_FFMPEG, reason="ffmpeg is not installed"),
]

LOSSLESS = {
    "wav": ["-c:a", "pcm_s16le"],
    "aiff": ["-c:a", "pcm_s16be", "-write_id3v2", "1"],
    "caf": ["-c:a", "pcm_s16le"],
    "flac": ["-c:a", "flac"],
    "oga": ["-c:a", "flac", "-f", "ogg"],
    "mka": ["-c:a", "flac"],
    "m4a": ["-c:a", "alac"],
    "wv": ["-c:a", "wavpack"],
    "tta": ["-c:a", "tta"],
}
LOSSY = {
    "mp3": ["-c:a", "libmp3lame"],
    "ogg": ["-c:a", "libvorbis"],
    "opus": ["-c:a", "libopus"],
    "m4a": ["-c:a", "aac"],
    "aac": ["-c:a", "aac"],
    "wma": ["-c:a", "wmav2"],
}


def identity_of(path: Path) -> AudioIdentity:
    """Return the identity that ingest computes from the facts, which equals `identify(path)`."""
    identity = identify(path)
    facts = read_audio_facts(path)
    assert identify(path, facts.samples) == identity
    assert identify(path, facts.samples, facts.parts) == identity
    assert identity is not None
    return identity


def convert(source: Path, target: Path, *options: str) -> Path:
    command = ["ffmpeg", "-v", "error", "-y", "-i", str(source), *options, str(target)]
    subprocess.run(command, check=True)
    return target


def written(folder: Path, suffix: str, options: list[str]) -> Path:
    path = folder / f"song.{suffix}"
    samples = np.round(encoded_audio.music() * 2**15) / 2**15
    encoded_audio.encode_with_ffmpeg(path, *options, samples=samples.astype(np.float32))
    return path


def test_lossless_audio_has_one_identity_in_all_formats(tmp_path: Path) -> None:
    identities = {
        suffix: identity_of(written(tmp_path, suffix, options))
        for suffix, options in LOSSLESS.items()
    }
    assert set(identities.values()) == {identities["wav"]}
    assert identities["wav"].kind == "samples"


@pytest.mark.parametrize(("suffix", "options"), [*LOSSLESS.items(), *LOSSY.items()])
def test_new_tags_do_not_change_the_identity(
    tmp_path: Path, suffix: str, options: list[str]
) -> None:
    path = written(tmp_path, suffix, options)
    before = identity_of(path)
    assert before.kind == ("packets" if options == LOSSY.get(suffix) else "samples")
    tagged = convert(path, tmp_path / f"tagged.{suffix}", "-c", "copy", "-metadata", "title=Ä" * 40)
    assert tagged.read_bytes() != path.read_bytes() or suffix in ("aac", "aiff")
    assert identity_of(tagged) == before
    tags = mutagen.File(path, easy=True)
    if tags is not None and suffix not in ("aac", "caf", "mka"):
        if tags.tags is None:
            tags.add_tags()
        tags.tags[
            "Title" if suffix == "wma" else "TIT2" if suffix in ("wav", "aiff") else "title"
        ] = mutagen.id3.TIT2(text="neu") if suffix in ("wav", "aiff") else "neu"
        tags.save()
        assert identity_of(path) == before


def test_tags_at_the_end_of_an_mp3_do_not_change_the_identity(tmp_path: Path) -> None:
    path = written(tmp_path, "mp3", LOSSY["mp3"])
    before = identity_of(path)
    tags = APEv2()
    tags["Title"] = "neu" * 20
    tags.save(str(path))
    assert identity_of(path) == before
    path.write_bytes(path.read_bytes() + b"TAG" + b"x" * 125)
    assert identity_of(path) == before


@pytest.mark.parametrize(
    ("suffix", "other"), [("mp3", "mka"), ("ogg", "mka"), ("opus", "webm"), ("aac", "m4a")]
)
def test_another_container_does_not_change_the_identity(
    tmp_path: Path, suffix: str, other: str
) -> None:
    path = written(tmp_path, suffix, LOSSY[suffix])
    assert identity_of(convert(path, tmp_path / f"other.{other}", "-c", "copy")) == identity_of(
        path
    )


@pytest.mark.parametrize("suffix", ["mp3", "ogg", "opus", "aac"])
def test_all_parts_of_a_joined_lossy_file_count(tmp_path: Path, suffix: str) -> None:
    path = written(tmp_path, suffix, LOSSY[suffix])
    other = tmp_path / f"other.{suffix}"
    encoded_audio.encode_with_ffmpeg(other, *LOSSY[suffix], samples=encoded_audio.music(seed=1))
    joined = [tmp_path / f"{name}.{suffix}" for name in ("same", "different")]
    joined[0].write_bytes(path.read_bytes() * 2)
    joined[1].write_bytes(path.read_bytes() + other.read_bytes())
    assert len({identity_of(each) for each in (path, *joined)}) == 3


def test_one_other_sample_changes_the_identity(tmp_path: Path) -> None:
    samples = np.round(encoded_audio.music() * 2**15) / 2**15
    path = tmp_path / "a.flac"
    path.write_bytes(encoded_audio.encode("FLAC", samples))
    before = identity_of(path)
    samples[1000] += 1 / 2**15
    path.write_bytes(encoded_audio.encode("FLAC", samples))
    assert identity_of(path) != before
    path.write_bytes(encoded_audio.encode("FLAC", samples, rate=encoded_audio.RATE + 1))
    assert identity_of(path) != before


def test_a_lossy_file_has_no_identity_without_ffmpeg(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lossy = written(tmp_path, "mp3", LOSSY["mp3"])
    lossless = written(tmp_path, "flac", LOSSLESS["flac"])
    with_ffmpeg = identity_of(lossless)
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    assert identify(lossy) is None
    assert identify(lossless) == with_ffmpeg
