"""Tests for the resynthesis: each mode works, and a clip depends only on its request."""

from dataclasses import replace

import numpy as np
import pytest
import soxr

from mirpipe.generation.modes import Mode
from mirpipe.music import features as music_features
from mirpipe.plugins.generators import resynth
from mirpipe.records import Features, Float32, GenerationRequest, Note
from tests.plugins.generators.music import MEDIUM, SIMPLE, STRONG, features, request

RATE = resynth.SPEC.sample_rate


def play(request: GenerationRequest) -> Float32:
    [clip] = resynth.Plugin().generate([request])
    return clip


def measure(clip: Float32) -> Features:
    return music_features.measure(soxr.resample(clip, RATE, music_features.SAMPLE_RATE))


def onset_seconds(clip: Float32, hertz: float) -> float:
    """Return the time, in seconds, at which a tone at `hertz` starts."""
    time = np.arange(len(clip)) / RATE
    frame = RATE // 100
    shifted = (clip * np.exp(-2j * np.pi * hertz * time))[: len(clip) // frame * frame]
    level = np.abs(shifted.reshape(-1, frame).mean(axis=1))
    return float(np.argmax(level > 0.3 * level.max()) * frame / RATE)


@pytest.mark.parametrize("mode", [SIMPLE, MEDIUM, STRONG], ids=lambda mode: mode.name)
@pytest.mark.parametrize("seconds", [0.3, 1.00001, 4.0, 9.0])
def test_a_clip_has_the_requested_length_and_a_normal_level(mode: Mode, seconds: float) -> None:
    clip = play(request(mode, seconds=seconds))
    assert clip.shape == (round(seconds * RATE),)
    assert clip.dtype == np.float32
    assert np.isfinite(clip).all()
    assert 0.1 < np.abs(clip).max() < 1
    assert -25 < 20 * np.log10(clip.std()) < -15


@pytest.mark.parametrize("mode", [SIMPLE, MEDIUM, STRONG], ids=lambda mode: mode.name)
def test_a_clip_depends_only_on_its_request(mode: Mode) -> None:
    alone = play(request(mode, seed=3))
    together = resynth.Plugin().generate([request(SIMPLE), request(mode, seed=3), request(STRONG)])
    np.testing.assert_array_equal(alone, together[1])
    assert not np.array_equal(alone, play(request(mode, seed=4)))


@pytest.mark.slow
@pytest.mark.parametrize(("bpm", "key"), [(84, "A minor"), (132, "Bb major")])
def test_simple_has_the_tempo_and_key_of_the_prompt(bpm: int, key: str) -> None:
    clip_features = measure(
        play(request(SIMPLE, prompt=f"Quiet, {bpm} BPM, in {key}.", seconds=12))
    )
    assert clip_features.tempo_bpm == pytest.approx(bpm, rel=0.01)
    assert clip_features.key == key


@pytest.mark.parametrize("prompt", ["", "Music at 999 BPM.", "C major at 100 BPM"])
def test_simple_is_in_c_major_at_100_bpm_without_a_usable_prompt(prompt: str) -> None:
    expected = play(request(SIMPLE, prompt="100 BPM, C major"))
    np.testing.assert_array_equal(play(request(SIMPLE, prompt=prompt)), expected)


def test_simple_does_not_depend_on_the_target() -> None:
    other = features(notes=(), bpm=70)
    np.testing.assert_array_equal(play(request(SIMPLE)), play(request(SIMPLE, target=other)))


def test_medium_plays_notes_at_their_transcribed_times() -> None:
    note = Note(1.05, 1.6, 93, 0.8)
    clip = play(request(MEDIUM, target=features(notes=(note,))))
    assert onset_seconds(clip, 1760) == pytest.approx(1.05, abs=0.021)


@pytest.mark.parametrize("bpm", [120.0, None])
def test_strong_moves_notes_to_quarters_of_a_beat_with_120_bpm_as_default(
    bpm: float | None,
) -> None:
    note = Note(1.05, 1.6, 93, 0.8)
    clip = play(request(STRONG, target=features(notes=(note,), bpm=bpm)))
    assert onset_seconds(clip, 1760) == pytest.approx(1.0, abs=0.021)


def test_strong_makes_the_beats_of_drums_more_even() -> None:
    uneven = replace(features(notes=()), beat_seconds=(0.0, 0.53, 1.0, 1.5, 2.0, 2.5, 3.0))
    medium, strong = play(request(MEDIUM, target=uneven)), play(request(STRONG, target=uneven))
    assert not np.array_equal(medium, strong)


def test_notes_that_last_longer_than_the_clip_are_cut() -> None:
    drone = (Note(0.0, 100.0, 69, 0.8), Note(50.0, 60.0, 72, 0.8))
    clip = play(request(MEDIUM, target=features(notes=drone, bpm=None), seconds=1))
    assert clip.shape == (RATE,)
    assert np.abs(clip[-RATE // 10 : -RATE // 40]).max() > 0.05


@pytest.mark.slow
@pytest.mark.parametrize("bpm", [102.0, 130.0])
@pytest.mark.parametrize("mode", [MEDIUM, STRONG], ids=lambda mode: mode.name)
def test_drums_keep_the_tempo_beyond_the_last_beat(mode: Mode, bpm: float) -> None:
    drums = features(notes=(), bpm=bpm, beats=9)
    clip_features = measure(play(request(mode, target=drums, seconds=12)))
    assert clip_features.tempo_bpm == pytest.approx(bpm, rel=0.01)
    assert clip_features.beat_seconds[-1] > 10.5


def test_there_are_no_drums_if_the_target_has_no_beats() -> None:
    late = (Note(2.0, 3.0, 69, 0.8),)
    clip = play(request(MEDIUM, target=features(notes=late, bpm=None)))
    assert not clip[: 2 * RATE].any()


def test_the_prompt_is_played_if_the_target_has_neither_notes_nor_beats() -> None:
    nothing = features(notes=(), bpm=None)
    np.testing.assert_array_equal(play(request(MEDIUM, target=nothing)), play(request(SIMPLE)))


def test_an_unknown_conditioned_mode_is_played_like_medium_at_any_guidance() -> None:
    swept = Mode("sweep", is_conditioned=True, guidance=7.0)
    np.testing.assert_array_equal(play(request(swept)), play(request(MEDIUM)))
    assert not np.array_equal(play(request(STRONG)), play(request(MEDIUM)))
