"""The picture of a spectrum: frequencies, levels, length, and the process that prints it."""

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from mirpipe.audio.spectrogram_picture import COLUMNS, MAX_SECONDS, ROWS, spectrogram_picture
from mirpipe.errors import RejectedInput


def write_sine(path: Path, hertz: float, seconds: float, sample_rate: int = 44_100) -> Path:
    """Write a stereo file with the tone in both channels, and return its path."""
    time = np.arange(int(seconds * sample_rate)) / sample_rate
    tone = 0.5 * np.sin(2 * np.pi * hertz * time)
    soundfile.write(path, np.stack([tone, tone], axis=1), sample_rate)
    return path


@pytest.mark.parametrize("sample_rate", [8_000, 44_100, 96_000])
@pytest.mark.parametrize("hertz", [100, 440, 3_000])
def test_a_tone_is_strongest_in_the_row_of_its_frequency(
    tmp_path: Path, hertz: float, sample_rate: int
) -> None:
    picture = spectrogram_picture(write_sine(tmp_path / "a.wav", hertz, 4, sample_rate))
    assert picture.levels.shape == (ROWS, COLUMNS)
    assert picture.highest_hz == min(16_000, sample_rate / 2)
    edges = np.geomspace(picture.lowest_hz, picture.highest_hz, ROWS + 1)
    row = int(picture.levels[:, COLUMNS // 2].argmax())
    # At low frequencies, a row is narrower than what a frame can tell apart.
    assert edges[row] - 6 <= hertz <= edges[row + 1] + 6
    assert picture.levels.max() == 255


def test_time_runs_from_left_to_right(tmp_path: Path) -> None:
    tone, rate = 0.5 * np.sin(2 * np.pi * 440 * np.arange(44_100) / 44_100), 44_100
    soundfile.write(tmp_path / "a.wav", np.concatenate([np.zeros(rate), tone]), rate)
    levels = spectrogram_picture(tmp_path / "a.wav").levels
    half = levels.shape[1] // 2
    assert levels[:, : half - 20].max() == 0
    assert levels[:, half + 20 :].max() == 255


def test_only_the_beginning_of_a_long_file_is_drawn(tmp_path: Path) -> None:
    picture = spectrogram_picture(write_sine(tmp_path / "a.wav", 440, MAX_SECONDS + 30, 8_000))
    assert picture.seconds == MAX_SECONDS


def test_silence_has_no_levels(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(44_100), 44_100)
    assert not spectrogram_picture(tmp_path / "a.wav").levels.any()


def test_a_file_of_one_sample_has_few_columns(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.full(1, 0.5), 44_100)
    levels = spectrogram_picture(tmp_path / "a.wav").levels
    assert levels.shape == (ROWS, 2)
    assert levels.max() == 255


def test_the_process_prints_the_same_picture(tmp_path: Path) -> None:
    path = write_sine(tmp_path / "静音.wav", 440, 1)
    printed = run(path)
    with np.load(io.BytesIO(printed.stdout), allow_pickle=False) as arrays:
        assert np.array_equal(arrays["levels"], spectrogram_picture(path).levels)
        assert arrays["seconds"] == 1


def test_a_file_without_audio_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_text("no audio")
    with pytest.raises(RejectedInput):
        spectrogram_picture(tmp_path / "a.wav")
    assert run(tmp_path / "a.wav").returncode != 0


def run(path: Path) -> subprocess.CompletedProcess[bytes]:
    program = [sys.executable, "-P", "-m", "mirpipe.audio.spectrogram_picture", str(path)]
    return subprocess.run(program, capture_output=True)
