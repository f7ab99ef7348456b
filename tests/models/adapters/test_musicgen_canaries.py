"""Tests that each part of a request changes the MusicGen-Melody clip, with both libraries."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mirpipe.plugins.generators import musicgen_melody, musicgen_melody_audiocraft
from mirpipe.specs import Runtime
from tests.models.adapters.musicgen_requests import (
    RATE,
    generate_alone,
    is_different_music,
    random_weights_of,
    request,
)

PLUGINS = [musicgen_melody, musicgen_melody_audiocraft]


@pytest.fixture(scope="module", params=PLUGINS, ids=["transformers", "audiocraft"])
def generator(request: pytest.FixtureRequest) -> Any:
    """Return one of the two plug-ins, with random weights; each test runs with both plug-ins."""
    return request.param.Plugin(Runtime(random_weights_of(request.param), "float32", "cpu"))


def test_text_changes_the_music(generator: Any) -> None:
    calm = generate_alone(generator, request())
    assert is_different_music(calm, generate_alone(generator, request("wild drums")))


def test_the_melody_changes_the_music(generator: Any) -> None:
    clips = [generate_alone(generator, request(melody_seed=seed)) for seed in (None, 1, 2)]
    assert is_different_music(clips[0], clips[1])
    assert is_different_music(clips[1], clips[2])


@pytest.mark.parametrize("melody_seed", [None, 1])
def test_guidance_changes_the_music(generator: Any, melody_seed: int | None) -> None:
    clips = [
        generate_alone(generator, request(melody_seed=melody_seed, guidance=guidance))
        for guidance in (1.0, 3.0, 5.0)
    ]
    assert is_different_music(clips[0], clips[1])
    assert is_different_music(clips[1], clips[2])


@pytest.mark.parametrize("melody_seed", [None, 1])
def test_the_same_seed_gives_bit_identical_clips_and_another_seed_other_music(
    generator: Any, melody_seed: int | None
) -> None:
    clip = generate_alone(generator, request(melody_seed=melody_seed, seed=7))
    again = generate_alone(generator, request(melody_seed=melody_seed, seed=7))
    assert np.array_equal(clip, again)
    other_seed = generate_alone(generator, request(melody_seed=melody_seed, seed=8))
    assert is_different_music(clip, other_seed)


def test_a_mode_without_conditioning_ignores_the_melody(generator: Any) -> None:
    with_melody = replace(request(), conditioning=request(melody_seed=1).conditioning)
    clip = generate_alone(generator, with_melody)
    assert np.array_equal(clip, generate_alone(generator, request()))


def test_a_clip_does_not_depend_on_the_other_requests_of_a_call(generator: Any) -> None:
    requests = [
        request(melody_seed=1),
        request("wild drums, long prompt", seconds=0.7),
        request(seed=3),
    ]
    clips = generator.generate(requests)
    for clip, each in zip(clips, requests, strict=True):
        assert np.array_equal(clip, generate_alone(generator, each))


@pytest.mark.parametrize("seconds", [0.0213, 0.5, 0.58, 1.00001])
def test_the_duration_is_exact(generator: Any, seconds: float) -> None:
    clip = generate_alone(generator, request(seconds=seconds))
    assert clip.shape == (round(seconds * RATE),)


def test_a_clip_is_audible_and_float32(generator: Any) -> None:
    clip = generate_alone(generator, request(melody_seed=1))
    assert clip.dtype == np.float32
    assert 1e-3 < clip.std() < 1
