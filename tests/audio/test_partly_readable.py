"""Half of a file is never taken for the whole, and a readable file is never refused."""

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirpipe.audio import AudioFacts, load_mono, read_audio_facts
from mirpipe.errors import RejectedInput, result_or_error
from tests.support.encoded_audio import (
    HAS_FFMPEG,
    RATE,
    encode,
    encoded_with_ffmpeg,
    music,
    tone,
)
from tests.support.hostile_files import riff

pytestmark = pytest.mark.slow

needs_ffmpeg = pytest.mark.skipif(not HAS_FFMPEG, reason="ffmpeg is not installed")


def facts_of(folder: Path, content: bytes) -> AudioFacts:
    path = folder / "a"
    path.write_bytes(content)
    return read_audio_facts(path)


def reason_of(folder: Path, content: bytes) -> str:
    with pytest.raises(RejectedInput) as rejected:
        facts_of(folder, content)
    return rejected.value.reason


def with_size(content: bytes, mark: bytes, offset: int, size: bytes) -> bytes:
    at = content.index(mark) + offset
    return content[:at] + size + content[at + len(size) :]


PIPED = [
    *[
        ("WAV", b"data", 4, struct.pack("<I", size))
        for size in (0, 0xFFFFFFFF, 0xFFFFFFF0, 2_147_479_552, 0x80000000)
    ],
    *[("RF64", b"ds64", 16, struct.pack("<Q", size)) for size in (0, 2**64 - 1, 2**60)],
    *[("W64", b"data", 16, struct.pack("<Q", size)) for size in (0, 24, 2**64 - 1, 2**60)],
    *[("AIFF", b"SSND", 4, struct.pack(">I", size)) for size in (0, 8, 2**31 - 1, 2**32 - 1)],
    *[("CAF", b"data", 4, struct.pack(">Q", size)) for size in (0, 2**64 - 1, 2**60)],
    *[("AU", b".snd", 8, struct.pack(">I", size)) for size in (0, 2**31 - 1, 2**32 - 1)],
]


@pytest.mark.parametrize(
    ("kind", "mark", "offset", "size"),
    PIPED,
    ids=[f"{kind}-{size.hex()}" for kind, _, _, size in PIPED],
)
def test_a_file_that_was_written_to_a_pipe_is_decoded_to_its_end(
    tmp_path: Path, kind: str, mark: bytes, offset: int, size: bytes
) -> None:
    facts = facts_of(tmp_path, with_size(encode(kind), mark, offset, size))
    assert facts.seconds == 2.0
    assert [loss.kind for loss in facts.losses] == ["length"]


def test_a_bw64_file_is_decoded(tmp_path: Path) -> None:
    samples = music()
    facts = facts_of(tmp_path, b"BW64" + encode("RF64", samples)[4:])
    assert (facts.seconds, facts.losses) == (2.0, ())
    # A BW64 file below 4 GB needs no ds64 chunk.
    facts = facts_of(tmp_path, b"BW64" + encode("WAV", samples)[4:])
    assert (facts.seconds, facts.losses) == (2.0, ())


@pytest.mark.parametrize("kind", ["WAV", "AIFF", "CAF", "AU", "W64", "RF64"])
def test_a_file_that_is_short_by_a_few_samples_is_accepted_with_a_finding(
    tmp_path: Path, kind: str
) -> None:
    content = encode(kind, music(4.0))
    samples_end = content.rindex(b"PEAK") - 8 if b"PEAK" in content[-100:] else len(content)
    facts = facts_of(tmp_path, content[: samples_end - 200])
    (loss,) = facts.losses
    assert loss.kind == "early_end"
    assert loss.lost_seconds == pytest.approx(100 / RATE, abs=5 / RATE)
    assert facts.seconds + loss.lost_seconds == pytest.approx(4.0, abs=1e-3)
    assert loss.detail == "The file ends early by 5 ms."


def test_an_ogg_file_without_its_last_page_is_accepted_with_a_finding(tmp_path: Path) -> None:
    content = encode("OGG", music(20.0))
    facts = facts_of(tmp_path, content[: content.rindex(b"OggS")])
    assert 15 < facts.seconds < 20
    assert [(loss.kind, loss.lost_seconds) for loss in facts.losses] == [("early_end", 0.0)]


@needs_ffmpeg
@pytest.mark.parametrize("bitrate_mode", ["VARIABLE", "CONSTANT"])
def test_the_length_of_an_mp3_is_counted(tmp_path: Path, bitrate_mode: str) -> None:
    quiet_then_loud = np.concatenate([music(6.0) * 0, music(6.0)])
    content = encode("MP3", quiet_then_loud, bitrate_mode=bitrate_mode)
    header = max(content.find(b"Xing"), content.find(b"Info"))
    facts = facts_of(tmp_path, content[content.index(content[:2], header) :])
    assert facts.seconds == pytest.approx(12.0, abs=0.1)


@needs_ffmpeg
@pytest.mark.parametrize("options", [["-b:a", "128k"], ["-q:a", "4", "-write_xing", "0"]])
@pytest.mark.parametrize(
    "prefix", [b"", bytes(5000), bytes(500_000), b"\x12\x9c" * 300, b"ID3\4\0\0\x7f\x7f\x7f\x7f"]
)
def test_an_mp3_is_decoded_from_its_first_valid_frame(
    tmp_path: Path, options: list[str], prefix: bytes
) -> None:
    content = encoded_with_ffmpeg(tmp_path, "mp3", *options, samples=tone(440, 8.0))
    assert facts_of(tmp_path, prefix + content).seconds == pytest.approx(8.0, abs=0.1)
    assert facts_of(tmp_path, prefix + content[700:]).seconds == pytest.approx(8.0, abs=0.1)


@needs_ffmpeg
def test_half_an_mp3_behind_zero_bytes_is_still_half(tmp_path: Path) -> None:
    content = encoded_with_ffmpeg(tmp_path, "mp3", samples=tone(440, 8.0))
    assert reason_of(tmp_path, bytes(5000) + content[: len(content) // 2]) == "truncated"


DAMAGED = [
    ("flac", []),
    ("mp3", ["-b:a", "128k"]),
    ("mp3", ["-q:a", "4", "-write_xing", "0"]),
    ("mp2", []),
    ("aac", []),
    ("m4a", ["-c:a", "aac"]),
    ("ac3", []),
]


@needs_ffmpeg
@pytest.mark.parametrize(("suffix", "options"), DAMAGED)
def test_one_damaged_frame_is_left_out_and_located(
    tmp_path: Path, suffix: str, options: list[str]
) -> None:
    samples = np.concatenate([music(18.0), music(12.0, seed=1)])
    content = bytearray(encoded_with_ffmpeg(tmp_path, suffix, *options, samples=samples))
    at = len(content) * 6 // 10
    content[at : at + 1200] = bytes(1200)
    facts = facts_of(tmp_path, bytes(content))
    (loss,) = [loss for loss in facts.losses if loss.kind == "damage"]
    assert loss.seconds == pytest.approx(18.0, abs=0.6)
    assert 0 < loss.lost_seconds < 0.3
    # ffmpeg's timestamps do not include all frames of a bare stream that have no header left.
    assert facts.seconds + loss.lost_seconds == pytest.approx(30.0, abs=0.2)
    path = tmp_path / "a"
    assert len(load_mono(path, RATE)) == pytest.approx(facts.seconds * RATE, abs=2)


@needs_ffmpeg
def test_a_setting_names_the_share_of_damage_that_is_accepted(tmp_path: Path) -> None:
    content = bytearray(encode("FLAC", music(5.0)))
    at = len(content) // 2
    content[at : at + 100] = bytes(100)
    assert reason_of(tmp_path, bytes(content)) == "damaged"
    facts = read_audio_facts(tmp_path / "a", max_missing=0.1)
    assert facts.losses[0].seconds == pytest.approx(2.5, abs=0.3)


@needs_ffmpeg
@pytest.mark.parametrize("suffix", ["ac3", "mp2", "aac"])
def test_a_stream_without_a_length_that_is_cut_has_a_finding(tmp_path: Path, suffix: str) -> None:
    content = encoded_with_ffmpeg(tmp_path, suffix, samples=music(8.0))
    facts = facts_of(tmp_path, content[: len(content) // 2 + 13])
    assert facts.seconds == pytest.approx(4.0, abs=0.1)
    assert [loss.kind for loss in facts.losses] == ["early_end"]


@needs_ffmpeg
@pytest.mark.parametrize("suffix", ["mp3", "flac", "m4a", "mka", "wv", "wma", "tta", "mp4"])
def test_half_a_file_is_rejected(tmp_path: Path, suffix: str) -> None:
    options = {"m4a": ["-c:a", "aac", "-movflags", "+faststart"], "mka": ["-c:a", "aac"]}
    if suffix == "mp4":
        content = _video(tmp_path)
    else:
        content = encoded_with_ffmpeg(
            tmp_path, suffix, *options.get(suffix, []), samples=music(8.0)
        )
    assert facts_of(tmp_path, content).losses == ()
    assert reason_of(tmp_path, content[: len(content) // 2]) == "truncated"


def _video(folder: Path) -> bytes:
    return encoded_with_ffmpeg(
        folder, "mp4", "-f", "lavfi", "-i", "testsrc=d=8:s=64x64:r=10", "-c:v", "mpeg4",
        "-c:a", "aac", "-movflags", "+faststart", samples=music(8.0),
    )  # fmt: skip


@needs_ffmpeg
def test_a_video_without_sound_is_rejected_in_plain_words(tmp_path: Path) -> None:
    content = encoded_with_ffmpeg(
        tmp_path, "mp4", "-f", "lavfi", "-i", "testsrc=d=2:s=64x64:r=10", "-map", "1:v",
        "-c:v", "mpeg4",
    )  # fmt: skip
    with pytest.raises(RejectedInput) as rejected:
        facts_of(tmp_path, content)
    assert rejected.value.reason == "no_sound"
    assert str(rejected.value) == (
        f"{tmp_path}/a has no sound: it contains only video or pictures. Remove it."
    )


@pytest.mark.parametrize("head", [b"ID3\4\0\0\x7f\x7f\x7f\x7f", b"ID3\4\0\0\0\0\x0f\x7f"])
def test_a_broken_id3_tag_without_music_is_rejected_in_plain_words(
    tmp_path: Path, head: bytes
) -> None:
    with pytest.raises(RejectedInput) as rejected:
        facts_of(tmp_path, head + bytes(3000))
    assert str(rejected.value) == (
        f"{tmp_path}/a is not audio in a supported format, or its beginning is damaged. Convert "
        "it to WAV or FLAC, or copy it again."
    )


def test_a_flac_behind_an_id3_tag_is_decoded(tmp_path: Path) -> None:
    tag = b"ID3\4\0\0\0\0\x02\0" + bytes(256)
    assert facts_of(tmp_path, tag + encode("FLAC")).seconds == 2.0
    assert facts_of(tmp_path, b"ID3\4\0\0\0\0\x7f\x7f" + encode("FLAC")).seconds == 2.0


def test_padding_behind_the_samples_is_no_audio(tmp_path: Path) -> None:
    for padding in (bytes(10_000), b"LIST" + struct.pack("<I", 8000) + b"x" * 8000, b"TAG" * 2000):
        facts = facts_of(tmp_path, riff(encode("WAV")[44:]) + padding)
        assert (facts.seconds, facts.losses) == (2.0, ())


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from(["WAV", "RF64", "W64", "AIFF", "CAF", "AU", "FLAC", "OGG", "MP3"]),
    share=st.floats(0.05, 0.985),
)
def test_a_cut_file_is_never_taken_for_the_whole(
    tmp_path_factory: pytest.TempPathFactory, kind: str, share: float
) -> None:
    content = _CONTENT.setdefault(kind, encode(kind, music(6.0)))
    cut = content[: int(len(content) * share)]
    facts = result_or_error(facts_of, tmp_path_factory.mktemp("cut"), cut)
    if isinstance(facts, Exception):
        assert isinstance(facts, RejectedInput)
        assert facts.reason in {"truncated", "not_audio", "damaged", "no_frames", "too_short"}
        return
    lost = sum(loss.lost_seconds for loss in facts.losses)
    has_unknown_end = any(loss.kind == "early_end" and not lost for loss in facts.losses)
    assert has_unknown_end or facts.seconds + lost == pytest.approx(6.0, abs=0.1)


_CONTENT: dict[str, bytes] = {}
