"""A fingerprint covers the complete track, whatever the block size. A missing one has a reason."""

from pathlib import Path
from unittest.mock import Mock, patch

import numpy as np
import pytest
import soundfile

from mirpipe.audio import chromaprint, read_audio_facts
from mirpipe.audio.chromaprint import computing, find_library, to_values
from mirpipe.audio.fingerprint import SILENT_VALUE, fingerprinting
from mirpipe.records import Fingerprint, Float32
from tests.support.synthetic_music import melody

RATE = 22_050
needs_chromaprint = pytest.mark.skipif(
    find_library() is None, reason="libchromaprint is not installed"
)


def fingerprint_of(samples: Float32, *, block: int = RATE) -> Fingerprint:
    """Return the fingerprint of mono samples at 22.05 kHz, sent in blocks."""
    with fingerprinting(RATE) as meter:
        for start in range(0, len(samples), block):
            meter.add(samples[start : start + block])
        found = meter.fingerprint()
    assert found is not None
    return found


@needs_chromaprint
def test_a_track_longer_than_two_minutes_is_read_to_its_end() -> None:
    frames = fingerprint_of(melody(150, RATE)).frames
    assert frames is not None
    assert len(to_values(frames)) * 1365 / 11_025 == pytest.approx(150, abs=3)


@needs_chromaprint
def test_blocks_gain_and_clipping_samples_do_not_change_the_length() -> None:
    samples = melody(10, RATE)
    expected = fingerprint_of(samples)
    assert fingerprint_of(samples, block=1000) == expected
    assert expected.frames is not None
    loud = fingerprint_of(samples * 30).frames
    assert loud is not None
    assert len(loud) == len(expected.frames)


@needs_chromaprint
def test_short_and_silent_tracks_have_a_reason() -> None:
    short, silent = fingerprint_of(melody(5, RATE)), fingerprint_of(np.zeros(RATE * 20, np.float32))
    assert (short.frames, short.reason) == (None, "too_short")
    assert (silent.frames, silent.reason) == (None, "silent")
    assert short.revision == silent.revision != ""


@needs_chromaprint
def test_a_silent_part_has_the_value_that_is_left_out() -> None:
    padded = np.concatenate([melody(10, RATE), np.zeros(RATE * 10, np.float32)])
    frames = fingerprint_of(padded).frames
    assert frames is not None
    assert np.count_nonzero(to_values(frames) == SILENT_VALUE) > 50


@needs_chromaprint
def test_a_channel_that_is_used_alone_is_fingerprinted_alone(tmp_path: Path) -> None:
    samples = melody(10, RATE)
    soundfile.write(tmp_path / "mono.wav", samples, RATE)
    soundfile.write(tmp_path / "inverted.wav", np.stack([samples, -samples], axis=1), RATE)
    prints = [
        read_audio_facts(tmp_path / name, with_fingerprint=True).fingerprint
        for name in ("mono.wav", "inverted.wav")
    ]
    assert prints[0] is not None
    assert prints[0].frames
    assert prints[0] == prints[1]


@needs_chromaprint
@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 44_100, 48_000, 96_000])
def test_resampled_audio_has_the_fingerprint_that_chromaprint_computes_at_its_rate(
    rate: int,
) -> None:
    samples = melody(20, rate)
    with fingerprinting(rate) as meter:
        for start in range(0, len(samples), rate):
            meter.add(samples[start : start + rate])
        found = meter.fingerprint()
    assert found is not None
    assert found.frames is not None
    expected = fingerprint_at_its_rate(samples, rate)
    count = min(len(found.frames), len(expected))
    assert abs(len(found.frames) - len(expected)) <= 4
    # With less than this share, the revision of the fingerprints would have to change.
    assert chromaprint._share_of_equal_bits(found.frames[:count], expected[:count]) > 0.99


def fingerprint_at_its_rate(samples: Float32, rate: int) -> bytes:
    """Return the values if Chromaprint resamples the audio itself, as earlier versions did."""
    found = find_library()
    assert found is not None
    with patch.object(chromaprint, "SAMPLE_RATE", rate), computing(found.library) as computation:
        computation.add((samples * 32767).astype(np.int16))
        frames = computation.finish()
    assert frames is not None
    return frames


def test_without_the_library_there_is_no_fingerprint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chromaprint, "_FILE", str(tmp_path / "libchromaprint.so.1"))
    monkeypatch.setattr(chromaprint, "_load", chromaprint._load.__wrapped__)
    path = tmp_path / "tune.wav"
    soundfile.write(path, melody(8, RATE), RATE)
    assert find_library() is None
    (tmp_path / "libchromaprint.so.1").write_bytes(b"no library")
    assert find_library() is None
    assert read_audio_facts(path, with_fingerprint=True).fingerprint is None


@needs_chromaprint
def test_only_other_values_have_another_revision(monkeypatch: pytest.MonkeyPatch) -> None:
    found = find_library()
    assert found is not None
    assert found.revision == "chromaprint-1"
    monkeypatch.setattr(chromaprint, "_PROBE_VALUES", "00112233" * 27)
    monkeypatch.setattr(chromaprint, "_revision", chromaprint._revision.__wrapped__)
    other = find_library()
    assert other is not None
    assert other.revision.startswith("chromaprint-1-")


@needs_chromaprint
@pytest.mark.parametrize("call", ["new", "start", "feed", "finish", "get_raw_fingerprint"])
def test_a_fingerprint_is_tried_again_if_a_call_fails(
    call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = find_library()
    assert found is not None
    library = Mock(wraps=found.library)
    getattr(library, f"chromaprint_{call}").side_effect = lambda *_: 0
    failing = chromaprint.Chromaprint(library, found.revision)
    monkeypatch.setattr(chromaprint, "find_library", lambda: failing)
    assert fingerprint_of(melody(10, RATE)) == Fingerprint("", None, "failed")
