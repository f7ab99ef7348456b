"""The excerpts of listening tests: position, level, channels, and no tags."""

import io
import weakref
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from mirpipe.errors import RejectedInput
from mirpipe.listening.excerpt import LEVEL_DBFS, _cut, excerpt
from tests.listening.conftest import SAMPLE_RATE, TITLE, write_tone


def read(content: bytes) -> np.ndarray:
    samples, rate = soundfile.read(io.BytesIO(content), always_2d=True)
    assert rate == SAMPLE_RATE
    return samples


@pytest.mark.parametrize("level", [0.001, 0.1, 0.9])
def test_all_excerpts_have_the_same_level(tmp_path: Path, level: float) -> None:
    samples = read(excerpt(write_tone(tmp_path / "a.flac", 440, level=level), 1.0, 2.0))
    rms = np.sqrt(np.mean(samples**2))
    assert 20 * np.log10(rms) == pytest.approx(LEVEL_DBFS, abs=0.2)
    assert samples.shape == (2 * SAMPLE_RATE, 2)


def test_peaks_above_full_scale_lower_the_level_instead_of_being_clipped(tmp_path: Path) -> None:
    samples = np.zeros(SAMPLE_RATE)
    samples[1000::4000] = 0.5  # Clicks, whose peaks are 36 dB above the RMS level.
    soundfile.write(tmp_path / "clicks.wav", samples, SAMPLE_RATE)
    found = read(excerpt(tmp_path / "clicks.wav", 0.0, 1.0))[:, 0]
    assert np.abs(found).max() == pytest.approx(1.0, abs=1e-3)
    assert (np.abs(found) > 0.99).sum() > 5
    assert np.abs(np.delete(found, np.arange(1000, SAMPLE_RATE, 4000))).max() == 0


def test_audio_before_the_excerpt_does_not_stay_in_memory() -> None:
    alive: list[weakref.ref[np.ndarray]] = []

    def blocks() -> Iterator[np.ndarray]:
        for _ in range(20):
            block = np.ones((10, 1), np.float32)
            alive.append(weakref.ref(block))
            yield block
            del block
            assert sum(block() is not None for block in alive) <= 2

    found = _cut(blocks(), 150, 170)
    assert found is not None
    assert len(found) == 20


def test_the_excerpt_is_the_requested_part(tmp_path: Path) -> None:
    silence_and_tone = np.concatenate(
        [np.zeros(SAMPLE_RATE), 0.1 * np.ones(SAMPLE_RATE), np.zeros(SAMPLE_RATE)]
    )
    soundfile.write(tmp_path / "step.wav", silence_and_tone, SAMPLE_RATE)
    samples = read(excerpt(tmp_path / "step.wav", 0.5, 1.0))[:, 0]
    half = SAMPLE_RATE // 2
    assert len(samples) == SAMPLE_RATE
    assert np.abs(samples[:half]).max() == 0
    assert np.abs(samples[half : half + 1000]).min() > 0.05


def test_a_file_that_is_now_shorter_than_the_start_is_rejected(tmp_path: Path) -> None:
    path = write_tone(tmp_path / "a.flac", 440, seconds=1.0)
    with pytest.raises(RejectedInput, match=r"a\.flac ends before") as raised:
        excerpt(path, 2.0, 1.0)
    assert raised.value.reason == "too_short"
    assert len(read(excerpt(path, 0.5, 1.0))) == SAMPLE_RATE // 2


def test_the_ends_are_faded(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "dc.wav", 0.5 * np.ones(SAMPLE_RATE), SAMPLE_RATE)
    samples = read(excerpt(tmp_path / "dc.wav", 0.2, 0.5))[:, 0]
    assert samples[0] < 0.01 < samples[2000]
    assert samples[-1] < 0.01


def test_silence_stays_silence(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silence.wav", np.zeros(SAMPLE_RATE), SAMPLE_RATE)
    assert np.abs(read(excerpt(tmp_path / "silence.wav", 0.0, 1.0))).max() == 0


@pytest.mark.parametrize(("channels", "kept"), [(1, 1), (2, 2), (6, 1)])
def test_more_than_two_channels_become_mono(tmp_path: Path, channels: int, kept: int) -> None:
    path = write_tone(tmp_path / "a.flac", 440, channels=channels)
    assert read(excerpt(path, 0.0, 1.0)).shape[1] == kept


def test_the_excerpt_contains_no_tag(tmp_path: Path) -> None:
    path = write_tone(tmp_path / "a.flac", 440, title=TITLE)
    assert TITLE.encode() in path.read_bytes()
    content = excerpt(path, 0.0, 1.0)
    assert TITLE.encode() not in content
    with soundfile.SoundFile(io.BytesIO(content)) as file:
        assert file.copy_metadata() == {}
