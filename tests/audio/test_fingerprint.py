"""A fingerprint covers the complete track, whatever the block size. A missing one has a reason."""

from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
import soundfile

from mirpipe.audio import chromaprint, read_audio_facts
from mirpipe.audio.chromaprint import find_program, to_values
from mirpipe.audio.fingerprint import SILENT_VALUE, fingerprinting
from mirpipe.records import Fingerprint, Float32
from tests.support.encoded_audio import HAS_FFMPEG
from tests.support.synthetic_music import melody

RATE = 22_050
needs_ffmpeg = pytest.mark.skipif(not HAS_FFMPEG, reason="ffmpeg is not installed")


def fingerprint_of(samples: Float32, *, block: int = RATE) -> Fingerprint:
    """Return the fingerprint of mono samples at 22.05 kHz, sent in blocks."""
    with fingerprinting(RATE) as meter:
        for start in range(0, len(samples), block):
            meter.add(samples[start : start + block])
        found = meter.fingerprint()
    assert found is not None
    return found


@needs_ffmpeg
def test_a_track_longer_than_two_minutes_is_read_to_its_end() -> None:
    frames = fingerprint_of(melody(150, RATE)).frames
    assert frames is not None
    assert len(to_values(frames)) * 1365 / 11_025 == pytest.approx(150, abs=3)


@needs_ffmpeg
def test_blocks_gain_and_clipping_samples_do_not_change_the_length() -> None:
    samples = melody(10, RATE)
    expected = fingerprint_of(samples)
    assert fingerprint_of(samples, block=1000) == expected
    assert expected.frames is not None
    loud = fingerprint_of(samples * 30).frames
    assert loud is not None
    assert len(loud) == len(expected.frames)


@needs_ffmpeg
def test_short_and_silent_tracks_have_a_reason() -> None:
    short, silent = fingerprint_of(melody(5, RATE)), fingerprint_of(np.zeros(RATE * 20, np.float32))
    assert (short.frames, short.reason) == (None, "too_short")
    assert (silent.frames, silent.reason) == (None, "silent")
    assert short.revision == silent.revision != ""


def test_a_program_that_cannot_be_run_is_no_chromaprint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ffmpeg").write_bytes(b"no program")
    (tmp_path / "ffmpeg").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_program() is None
    path = tmp_path / "tune.wav"
    soundfile.write(path, melody(8, RATE), RATE)
    assert read_audio_facts(path, with_fingerprint=True).fingerprint is None


@needs_ffmpeg
def test_a_program_that_cannot_be_started_now_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_program() is not None
    monkeypatch.setattr(chromaprint, "start", Mock(side_effect=OSError("too many processes")))
    assert fingerprint_of(melody(10, RATE)) == Fingerprint("", None, "failed")


@needs_ffmpeg
def test_a_silent_part_has_the_value_that_is_left_out() -> None:
    padded = np.concatenate([melody(10, RATE), np.zeros(RATE * 10, np.float32)])
    frames = fingerprint_of(padded).frames
    assert frames is not None
    assert np.count_nonzero(to_values(frames) == SILENT_VALUE) > 50


@needs_ffmpeg
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


def fake_ffmpeg(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Install a program named ffmpeg, in a PATH without any other program."""
    program = folder / "ffmpeg"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/bin")


def test_without_chromaprint_there_is_no_fingerprint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_ffmpeg(tmp_path, monkeypatch, "cat > /dev/null; echo unknown format >&2; exit 1")
    assert find_program() is None
    with fingerprinting(RATE) as meter:
        meter.add(melody(10, RATE))
        assert meter.fingerprint() is None
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    assert find_program() is None


def test_another_algorithm_has_another_revision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_ffmpeg(tmp_path, monkeypatch, "cat > /dev/null; printf abcdefgh")
    found = find_program()
    assert found is not None
    assert found.revision.startswith("chromaprint-1-")


@needs_ffmpeg
def test_another_version_of_ffmpeg_with_equal_fingerprints_has_the_same_revision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = find_program()
    assert installed is not None
    fake_ffmpeg(tmp_path, monkeypatch, f'exec {installed.program} "$@"')
    found = find_program()
    assert found is not None
    assert found.program != installed.program
    assert found.revision == installed.revision == "chromaprint-1"


@needs_ffmpeg
def test_a_fingerprint_is_tried_again_if_ffmpeg_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with fingerprinting(RATE) as meter:
        meter.add(melody(10, RATE))
        assert meter._process is not None
        meter._process.kill()
        meter._process.wait()
        meter.add(melody(60, RATE))
        assert meter.fingerprint() == Fingerprint("", None, "failed")
