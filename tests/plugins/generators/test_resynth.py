"""The resynthesis: what each mode plays, and that a request alone determines it."""

from dataclasses import replace

import numpy as np
import pytest
import soxr

from mirpipe.generation.modes import Mode
from mirpipe.music import features as measured
from mirpipe.plugins.generators import resynth
from mirpipe.records import Features, Float32, Note, Request
from tests.plugins.generators.music import MEDIUM, SIMPLE, STRONG, features, request

RATE = resynth.SPEC.sample_rate


def play(asked: Request) -> Float32:
    [clip] = resynth.Plugin().generate([asked])
    return clip


def measure(clip: Float32) -> Features:
    return measured.measure(soxr.resample(clip, RATE, measured.SAMPLE_RATE))


def begins(clip: Float32, hertz: float) -> float:
    """Seconds at which a tone of `hertz` is first heard."""
    time = np.arange(len(clip)) / RATE
    frame = RATE // 100
    turned = (clip * np.exp(-2j * np.pi * hertz * time))[: len(clip) // frame * frame]
    level = np.abs(turned.reshape(-1, frame).mean(axis=1))
    return float(np.argmax(level > 0.3 * level.max()) * frame / RATE)


@pytest.mark.parametrize("mode", [SIMPLE, MEDIUM, STRONG], ids=lambda mode: mode.name)
@pytest.mark.parametrize("seconds", [0.3, 1.00001, 4.0, 9.0])
def test_a_clip_is_as_long_as_asked_for_and_neither_clips_nor_is_silent(
    mode: Mode, seconds: float
) -> None:
    clip = play(request(mode, seconds=seconds))
    assert clip.shape == (round(seconds * RATE),)
    assert clip.dtype == np.float32
    assert np.isfinite(clip).all()
    assert 0.1 < np.abs(clip).max() < 1
    assert -25 < 20 * np.log10(clip.std()) < -15


@pytest.mark.parametrize("mode", [SIMPLE, MEDIUM, STRONG], ids=lambda mode: mode.name)
def test_a_request_alone_determines_its_clip(mode: Mode) -> None:
    alone = play(request(mode, seed=3))
    beside = resynth.Plugin().generate([request(SIMPLE), request(mode, seed=3), request(STRONG)])
    np.testing.assert_array_equal(alone, beside[1])
    assert not np.array_equal(alone, play(request(mode, seed=4)))


@pytest.mark.slow
@pytest.mark.parametrize(("bpm", "key"), [(84, "A minor"), (132, "Bb major")])
def test_simple_is_in_the_tempo_and_key_that_the_prompt_states(bpm: int, key: str) -> None:
    found = measure(play(request(SIMPLE, prompt=f"Quiet, {bpm} BPM, in {key}.", seconds=12)))
    assert found.tempo_bpm == pytest.approx(bpm, rel=0.01)
    assert found.key == key


@pytest.mark.parametrize("prompt", ["", "Music at 999 BPM.", "C major at 100 BPM"])
def test_simple_is_in_c_major_at_100_bpm_where_the_prompt_states_nothing_sane(prompt: str) -> None:
    stated = play(request(SIMPLE, prompt="100 BPM, C major"))
    np.testing.assert_array_equal(play(request(SIMPLE, prompt=prompt)), stated)


def test_simple_knows_nothing_of_the_target() -> None:
    other = features(notes=(), bpm=70)
    np.testing.assert_array_equal(play(request(SIMPLE)), play(request(SIMPLE, of=other)))


def test_medium_plays_notes_when_they_were_transcribed() -> None:
    note = Note(1.05, 1.6, 93, 0.8)
    clip = play(request(MEDIUM, of=features(notes=(note,))))
    assert begins(clip, 1760) == pytest.approx(1.05, abs=0.021)


@pytest.mark.parametrize("bpm", [120.0, None])
def test_strong_moves_notes_to_quarters_of_a_beat_and_to_those_of_120_bpm_without_one(
    bpm: float | None,
) -> None:
    note = Note(1.05, 1.6, 93, 0.8)
    clip = play(request(STRONG, of=features(notes=(note,), bpm=bpm)))
    assert begins(clip, 1760) == pytest.approx(1.0, abs=0.021)


def test_strong_evens_out_the_beat_of_drums() -> None:
    uneven = replace(features(notes=()), beat_seconds=(0.0, 0.53, 1.0, 1.5, 2.0, 2.5, 3.0))
    medium, strong = play(request(MEDIUM, of=uneven)), play(request(STRONG, of=uneven))
    assert not np.array_equal(medium, strong)


def test_notes_that_last_longer_than_the_clip_are_cut() -> None:
    drone = (Note(0.0, 100.0, 69, 0.8), Note(50.0, 60.0, 72, 0.8))
    clip = play(request(MEDIUM, of=features(notes=drone, bpm=None), seconds=1))
    assert clip.shape == (RATE,)
    assert np.abs(clip[-RATE // 10 : -RATE // 40]).max() > 0.05


@pytest.mark.slow
@pytest.mark.parametrize("bpm", [102.0, 130.0])
@pytest.mark.parametrize("mode", [MEDIUM, STRONG], ids=lambda mode: mode.name)
def test_drums_keep_the_tempo_beyond_the_last_beat(mode: Mode, bpm: float) -> None:
    drums = features(notes=(), bpm=bpm, beats=9)
    found = measure(play(request(mode, of=drums, seconds=12)))
    assert found.tempo_bpm == pytest.approx(bpm, rel=0.01)
    assert found.beat_seconds[-1] > 10.5


def test_notes_without_a_beat_are_played_without_drums() -> None:
    late = (Note(2.0, 3.0, 69, 0.8),)
    clip = play(request(MEDIUM, of=features(notes=late, bpm=None)))
    assert not clip[: 2 * RATE].any()


def test_the_prompt_is_played_where_the_target_has_neither_notes_nor_beats() -> None:
    nothing = features(notes=(), bpm=None)
    np.testing.assert_array_equal(play(request(MEDIUM, of=nothing)), play(request(SIMPLE)))


def test_an_unknown_conditioned_mode_is_medium_at_any_guidance() -> None:
    swept = Mode("sweep", is_conditioned=True, guidance=7.0)
    np.testing.assert_array_equal(play(request(swept)), play(request(MEDIUM)))
    assert not np.array_equal(play(request(STRONG)), play(request(MEDIUM)))
