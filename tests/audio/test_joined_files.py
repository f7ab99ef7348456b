"""Joined files, as `cat a.ogg b.ogg` makes them, are decoded to the end or rejected by name.

Most decoders read only the first part (xiph/flac#254, MusicPlayerDaemon/MPD#2217, atldotnet#339).
"""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirpipe.audio import load_mono, read_audio_facts
from mirpipe.errors import RejectedInput
from tests.support.encoded_audio import HAS_FFMPEG, RATE, encode, encoded_with_ffmpeg, tone

pytestmark = pytest.mark.slow

needs_ffmpeg = pytest.mark.skipif(not HAS_FFMPEG, reason="ffmpeg is not installed")

# Some codecs add up to two frames at the start and at the end of a file.
_JOINT_SECONDS = 0.25


def require_both_tones(path: Path, seconds: float) -> None:
    """Check the length, and that 440 Hz are followed by 1,000 Hz without silence between them."""
    assert read_audio_facts(path).seconds == pytest.approx(2 * seconds, abs=_JOINT_SECONDS)
    mono = load_mono(path, RATE)
    assert len(mono) == pytest.approx(2 * seconds * RATE, abs=_JOINT_SECONDS * RATE)
    margin = int(0.3 * RATE)
    middle = len(mono) // 2
    for hertz, part in ((440, mono[margin : middle - margin]), (1000, mono[middle + margin :])):
        part = part[: len(part) - margin]
        spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part))))
        assert spectrum.argmax() * RATE / len(part) == pytest.approx(hertz, abs=2)
        assert part.std() == pytest.approx(0.3 / np.sqrt(2), rel=0.1)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("OGG", {"subtype": "VORBIS"}),
        ("OGG", {"subtype": "OPUS"}),
        ("FLAC", {}),
        ("MP3", {}),
        ("WAV", {}),
        ("WAVEX", {}),
        ("RF64", {}),
        ("W64", {}),
        ("AIFF", {}),
        ("CAF", {}),
        ("AU", {}),
    ],
)
def test_a_joined_file_is_decoded_to_the_end(
    tmp_path: Path, kind: str, options: dict[str, str]
) -> None:
    rate = 48_000 if options.get("subtype") == "OPUS" else RATE
    path = tmp_path / "joined"
    path.write_bytes(
        b"".join(
            encode(kind, tone(hertz, rate=rate), rate=rate, **options) for hertz in (440, 1000)
        )
    )
    require_both_tones(path, 4.0)


@needs_ffmpeg
@pytest.mark.parametrize(
    ("suffix", "options"),
    [
        ("ogg", ["-c:a", "flac"]),
        ("mp3", ["-b:a", "128k"]),
        ("mp3", ["-q:a", "4", "-write_xing", "0"]),
        ("mp3", ["-q:a", "4", "-write_xing", "0", "-id3v2_version", "0"]),
        ("mp2", []),
        ("aac", []),
        ("ac3", []),
        ("wv", []),
        ("m4a", ["-c:a", "aac"]),
        ("mka", ["-c:a", "aac"]),
        ("wma", []),
        ("tta", []),
    ],
)
def test_a_joined_file_of_ffmpeg_is_decoded_to_the_end(
    tmp_path: Path, suffix: str, options: list[str]
) -> None:
    path = tmp_path / "joined"
    path.write_bytes(
        b"".join(
            encoded_with_ffmpeg(tmp_path, suffix, *options, samples=tone(hertz))
            for hertz in (440, 1000)
        )
    )
    require_both_tones(path, 4.0)


def test_joined_files_with_different_sample_rates_are_rejected_by_name(tmp_path: Path) -> None:
    path = tmp_path / "joined.flac"
    path.write_bytes(encode("FLAC") + encode("FLAC", rate=44_100))
    with pytest.raises(RejectedInput, match=r"joined\.flac consists of 2 joined files") as rejected:
        read_audio_facts(path)
    assert rejected.value.reason == "mixed_formats"


def test_an_ogg_link_that_is_cut_in_a_page_is_rejected_wherever_it_is(tmp_path: Path) -> None:
    link = encode("OGG")
    path = tmp_path / "joined.ogg"
    path.write_bytes(link + link[: len(link) // 2])
    with pytest.raises(RejectedInput) as rejected:
        read_audio_facts(path)
    assert rejected.value.reason == "truncated"


@settings(max_examples=25, deadline=None)
@given(
    kind=st.sampled_from(["WAV", "FLAC", "OGG", "AIFF", "CAF", "W64"]),
    lengths=st.lists(st.integers(2000, 30_000), min_size=2, max_size=4),
)
def test_every_sample_of_every_part_is_decoded(
    tmp_path_factory: pytest.TempPathFactory, kind: str, lengths: list[int]
) -> None:
    path = tmp_path_factory.mktemp("joined") / "a"
    parts = [tone(440, 2)[:length] for length in [RATE, *lengths]]
    path.write_bytes(b"".join(encode(kind, part) for part in parts))
    assert read_audio_facts(path).seconds * RATE == pytest.approx(RATE + sum(lengths))
