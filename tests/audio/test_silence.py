"""The silent parts of a track, and the level of its other parts."""

import tracemalloc

import numpy as np
import pytest

from mirpipe.audio.silence import SilenceMeter
from mirpipe.records import Float32, Silence
from tests.support import synthetic_music

RATE = 8000
MUSIC = synthetic_music.melody(6.0, RATE, dbfs=-18.0)


def silence_of(*parts: Float32, block: int = 10 * RATE) -> Silence | None:
    """Return the silent parts of the joined parts, measured block by block."""
    samples, meter = np.concatenate(parts), SilenceMeter(RATE)
    for start in range(0, len(samples), block):
        meter.add(samples[start : start + block])
    return meter.silence()


def zeros(seconds: float) -> Float32:
    return np.zeros(round(seconds * RATE), np.float32)


def noise(seconds: float, dbfs: float) -> Float32:
    return synthetic_music.noise(seconds, RATE, dbfs=dbfs)


def test_music_without_silence_has_the_level_of_the_complete_track() -> None:
    assert silence_of(MUSIC) == Silence((), 0.0, pytest.approx(-18.0, abs=1e-4))


@pytest.mark.parametrize("quiet", [zeros, lambda seconds: noise(seconds, -70.0)])
def test_silence_around_and_inside_the_music_is_found(quiet: object) -> None:
    assert callable(quiet)
    found = silence_of(quiet(20.0), MUSIC[: 3 * RATE], quiet(4.0), MUSIC[3 * RATE :], quiet(60.0))
    assert found is not None
    assert found.parts == ((0.0, 20.0), (23.0, 27.0), (30.0, 90.0))
    assert found.share == pytest.approx(84 / 90)
    assert found.sounding_rms_dbfs == pytest.approx(-18.0, abs=1e-4)


def test_a_rest_inside_the_music_is_not_silent_but_silence_at_an_end_is() -> None:
    found = silence_of(zeros(0.5), MUSIC[: 3 * RATE], zeros(1.9), MUSIC[3 * RATE :], zeros(0.25))
    assert found is not None
    assert found.parts == ((0.0, 0.5), (8.4, pytest.approx(8.65)))


def test_the_edge_of_a_part_is_exact_to_20_ms() -> None:
    found = silence_of(zeros(7.371), MUSIC)
    assert found is not None
    assert found.parts == ((0.0, pytest.approx(7.36)),)


def test_the_threshold_follows_quiet_music() -> None:
    """At -55 dBFS, the threshold is 30 dB below the loudest part instead of -60 dBFS."""
    gain = np.float32(10 ** (-37 / 20))
    soft = synthetic_music.at_level(MUSIC, -75.0)
    found = silence_of(gain * MUSIC, soft, gain * MUSIC)
    assert found is not None
    assert found.share < 0.005, "only the end of the last note is silent"
    found = silence_of(gain * MUSIC, noise(9.0, -95.0))
    assert found is not None
    assert found.parts == ((pytest.approx(6.0, abs=0.1), 15.0),)


def test_more_silence_does_not_change_the_threshold() -> None:
    quiet, long = noise(3.0, -62.0), zeros(600.0)
    short_one, long_one = silence_of(MUSIC, quiet, MUSIC), silence_of(MUSIC, quiet, MUSIC, long)
    assert short_one is not None
    assert long_one is not None
    assert short_one.parts == ((6.0, 9.0),)
    assert long_one.parts == ((6.0, 9.0), (15.0, 615.0))


def test_a_dc_offset_is_neither_sound_nor_part_of_the_level() -> None:
    found = silence_of(MUSIC + np.float32(0.3), zeros(10.0) + np.float32(0.3))
    assert found is not None
    assert found.parts == ((6.0, 16.0),)
    assert found.sounding_rms_dbfs == pytest.approx(-18.0, abs=1e-3)


@pytest.mark.parametrize("samples", [zeros(5.0), noise(5.0, -85.0), zeros(5.0) + np.float32(0.5)])
def test_audio_without_any_sound_has_no_level(samples: Float32) -> None:
    assert silence_of(samples) is None


def test_the_result_does_not_depend_on_the_blocks() -> None:
    parts = zeros(3.33), MUSIC, zeros(2.71), MUSIC
    assert silence_of(*parts, block=77) == silence_of(*parts)


def test_an_hour_needs_little_memory() -> None:
    meter = SilenceMeter(RATE)
    tracemalloc.start()
    for _ in range(600):
        meter.add(MUSIC)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4e6, "an hour at 8 kHz is 115 MB"
