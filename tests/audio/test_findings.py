"""Findings about a track's audio: one per fault, and none for ordinary music."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import soundfile

from mirpipe.audio import decode, read_audio_facts
from mirpipe.audio.clipping import ClippingCounter
from mirpipe.audio.decode import open_parts
from mirpipe.audio.flac_checksum import FlacChecksum
from mirpipe.records import Finding
from tests.support import hostile_files
from tests.support.encoded_audio import HAS_FFMPEG, RATE, encode, encode_with_ffmpeg, music

needs_ffmpeg = pytest.mark.skipif(not HAS_FFMPEG, reason="ffmpeg is not installed")


def findings_of(folder: Path, samples: np.ndarray, kind: str = "WAV") -> list[Finding]:
    path = folder / "a"
    path.write_bytes(encode(kind, samples, **({"subtype": "FLOAT"} if kind == "WAV" else {})))
    return list(read_audio_facts(path).measurement.findings)


def test_usable_files_of_every_format_have_no_findings(tmp_path: Path) -> None:
    for path in hostile_files.write_good(tmp_path):
        findings = read_audio_facts(path).measurement.findings
        assert [finding for finding in findings if finding.kind != "length"] == [], path


def test_clipping(tmp_path: Path) -> None:
    quiet, loud = music(3.0), np.clip(music(3.0) * 20, -1, 1)
    (finding,) = findings_of(tmp_path, np.concatenate([quiet, loud]))
    assert (finding.kind, finding.severity) == ("clipping", "warning")
    assert finding.seconds == pytest.approx(3.0, abs=0.1)
    assert findings_of(tmp_path, music(3.0) / np.abs(music(3.0)).max()) == []


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_three_neighbouring_samples_of_a_channel_at_full_scale_are_clipped(channels: int) -> None:
    rng, counter, starts = np.random.default_rng(channels), ClippingCounter(), []
    for block in range(40):
        samples = np.clip(rng.standard_normal((50, channels)) * 3, -1, 1).astype(np.float32)
        counter.add(samples, 1.0)
        is_full = np.abs(samples) >= 0.999
        starts += [
            50 * block + frame
            for frame in range(48)
            for channel in range(channels)
            if is_full[frame : frame + 3, channel].all()
        ]
    (finding,) = counter.findings(100)
    assert finding.seconds == starts[0] / 100
    assert finding.detail.startswith(f"{len(starts):,} samples are clipped")


def test_large_numbers_of_clipped_samples_have_separators() -> None:
    counter = ClippingCounter()
    counter.add(np.ones((2_002, 1), np.float32), 1.0)
    (finding,) = counter.findings(44_100)
    assert finding.detail.startswith("2,000 samples are clipped (44,055.9 per second), ")


def test_silence_at_the_start_inside_and_at_the_end(tmp_path: Path) -> None:
    silence, sound = music(6.0) * 0, music(8.0)
    samples = np.concatenate([silence, sound, silence, sound, silence])
    findings = findings_of(tmp_path, samples)
    assert [finding.kind for finding in findings] == ["silence"] * 3
    assert [finding.seconds for finding in findings] == pytest.approx([0, 14, 28], abs=0.1)
    assert [finding.detail for finding in findings] == [
        "The track begins with 6.0 s of silence.",
        "6.0 s of silence begin at 14.0 s.",
        "The track ends with 6.0 s of silence.",
    ]


def test_a_short_pause_is_no_finding(tmp_path: Path) -> None:
    pause, sound = music(2.0) * 0, music(8.0)
    assert findings_of(tmp_path, np.concatenate([pause, sound, pause, sound, pause])) == []


def test_a_silent_channel(tmp_path: Path) -> None:
    sound = music(3.0)
    (finding,) = findings_of(tmp_path, np.hstack([sound, sound * 0]))
    assert (finding.kind, finding.detail) == ("dead_channel", "Channel 2 of 2 is silent.")


def test_an_inverted_channel_with_its_correlation(tmp_path: Path) -> None:
    sound = music(3.0)
    (finding,) = findings_of(tmp_path, np.hstack([sound, -0.8 * sound]))
    assert (finding.kind, finding.severity) == ("inverted_channel", "warning")
    assert finding.detail == (
        "The correlation of the channels is -1.00, so one is inverted. Channel 1, the loudest, is "
        "used alone."
    )


@pytest.mark.parametrize(("offset", "severity"), [(0.02, "info"), (-0.06, "warning")])
def test_a_dc_offset(tmp_path: Path, offset: float, severity: str) -> None:
    sound = music(3.0)
    (finding,) = findings_of(tmp_path, sound - sound.mean() + np.float32(offset))
    assert (finding.kind, finding.severity) == ("dc_offset", severity)
    assert finding.detail == f"The DC offset is {offset:+.3f} of full scale. It is removed."
    assert findings_of(tmp_path, sound - sound.mean() + np.float32(0.009)) == []


def test_a_very_low_level_and_a_peak_above_full_scale(tmp_path: Path) -> None:
    (finding,) = findings_of(tmp_path, music(3.0) / 500)
    assert (finding.kind, finding.detail) == ("level", "The level is very low: -72 dBFS.")
    kinds = {finding.kind for finding in findings_of(tmp_path, music(3.0) * 20)}
    assert kinds == {"level", "clipping"}


@pytest.mark.parametrize("bits", [8, 12, 16, 20, 24])
def test_comparing_the_checksum_of_a_flac_changes_no_sample(tmp_path: Path, bits: int) -> None:
    path, subtype = tmp_path / "a.flac", {8: "PCM_S8", 12: "PCM_16", 16: "PCM_16"}.get(bits)
    samples = np.round(music(3.0, channels=2) * 2 ** (bits - 1)) / 2 ** (bits - 1)
    path.write_bytes(encode("FLAC", samples, subtype=subtype or "PCM_24"))
    decoded = []
    for verify in (False, True):
        with decode(path, verify=verify) as audio:
            decoded.append(np.concatenate(list(audio.blocks)))
            assert audio.losses == []
    np.testing.assert_array_equal(decoded[0], samples.astype(np.float32))
    np.testing.assert_array_equal(decoded[1], decoded[0])


@pytest.mark.parametrize("bits", [4, 8, 12, 16, 20, 24])
def test_the_checksum_of_a_flac_is_over_whole_bytes(tmp_path: Path, bits: int) -> None:
    """libsndfile cannot write most of these FLAC files, so the samples are read from a WAV file."""
    limit = 2 ** (bits - 1)
    samples = np.random.default_rng(0).integers(-limit, limit, (900, 2))
    stored = [int(each).to_bytes(-(-bits // 8), "little", signed=True) for each in samples.flat]
    path = tmp_path / "a.wav"
    content = encode("WAV", (samples << (32 - bits)).astype(np.int32), subtype="PCM_32")
    path.write_bytes(content)
    checksum = FlacChecksum(bits, hashlib.md5(b"".join(stored), usedforsecurity=False).digest())
    with open_parts(path) as parts, soundfile.SoundFile(path) as sound:
        blocks = list(checksum.read_blocks(sound, parts[0].file, 250))
    assert not checksum.is_wrong()
    np.testing.assert_array_equal(np.concatenate(blocks), samples / limit)


@pytest.mark.parametrize("subtype", ["PCM_S8", "PCM_16", "PCM_24"])
def test_a_flac_whose_checksum_contradicts_its_audio(tmp_path: Path, subtype: str) -> None:
    content = bytearray(encode("FLAC", music(12.0, channels=2), subtype=subtype))
    path = tmp_path / "a.flac"
    path.write_bytes(content)
    assert read_audio_facts(path).measurement.findings == ()
    content[26] ^= 1  # The first byte of the MD5 checksum in STREAMINFO.
    path.write_bytes(content)
    (finding,) = read_audio_facts(path).measurement.findings
    assert (finding.kind, finding.severity) == ("checksum", "warning")
    content[26:42] = bytes(16)  # An encoder that writes to a pipe leaves the checksum out.
    path.write_bytes(content)
    assert read_audio_facts(path).measurement.findings == ()


def test_a_missing_end_is_a_finding_at_its_position(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(encode("WAV", music(4.0))[: -RATE // 50])
    (finding,) = read_audio_facts(path).measurement.findings
    assert (finding.kind, finding.severity) == ("early_end", "warning")
    assert finding.seconds == pytest.approx(4.0, abs=0.02)


def broadband(seconds: float = 12.0, rate: int = 44_100) -> np.ndarray:
    """Return noise whose level falls by about 6 dB per octave, float32 of shape (frames, 1)."""
    noise = np.random.default_rng(0).standard_normal(int(seconds * rate))
    frequencies = np.maximum(np.fft.rfftfreq(len(noise), 1 / rate), 50)
    pink = np.fft.irfft(np.fft.rfft(noise) / frequencies, len(noise))
    return (0.1 * pink / pink.std()).astype(np.float32)[:, None]


@needs_ffmpeg
@pytest.mark.parametrize(
    ("options", "low", "high"),
    [
        (["-c:a", "libmp3lame", "-b:a", "64k", "-f", "mp3"], 10.0, 18.0),
        (["-ar", "8000", "-f", "wav"], 3.2, 5.2),
        (["-ar", "22050", "-f", "wav"], 9.5, 13.5),
    ],
)
def test_a_lossless_file_that_was_made_from_less(
    tmp_path: Path, options: list[str], low: float, high: float
) -> None:
    wav, less, path = tmp_path / "a.wav", tmp_path / "less", tmp_path / "a.flac"
    wav.write_bytes(encode("WAV", broadband(), rate=44_100))
    encode_with_ffmpeg(less, "-map", "1:a", *options, inputs=[wav])
    encode_with_ffmpeg(path, "-map", "1:a", "-ar", "44100", "-c:a", "flac", inputs=[less])
    (finding,) = read_audio_facts(path).measurement.findings
    assert finding.kind == "bandwidth"
    limit = float(finding.detail.split(" kHz")[0].rpartition(" ")[2])
    assert low < limit < high


def test_a_spectrum_that_falls_gradually_has_no_limit(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    path.write_bytes(encode("FLAC", broadband(), rate=44_100))
    assert read_audio_facts(path).measurement.findings == ()
