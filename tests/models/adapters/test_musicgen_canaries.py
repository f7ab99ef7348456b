"""MusicGen-Melody by either library: it heeds all that it is told, and a seed repeats it."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mirpipe.plugins.generators import musicgen_melody, musicgen_melody_audiocraft
from mirpipe.specs import Runtime
from tests.models.adapters.musicgen_requests import RATE, far_apart, one, request, stand_in_of

PLUGINS = [musicgen_melody, musicgen_melody_audiocraft]


@pytest.fixture(scope="module", params=PLUGINS, ids=["transformers", "audiocraft"])
def generator(request: pytest.FixtureRequest) -> Any:
    return request.param.Plugin(Runtime(stand_in_of(request.param), "float32", "cpu"))


def test_text_changes_the_music(generator: Any) -> None:
    assert far_apart(one(generator, request()), one(generator, request("wild drums")))


def test_the_melody_changes_the_music(generator: Any) -> None:
    clips = [one(generator, request(heard=heard)) for heard in (None, 1, 2)]
    assert far_apart(clips[0], clips[1])
    assert far_apart(clips[1], clips[2])


@pytest.mark.parametrize("heard", [None, 1])
def test_guidance_changes_the_music(generator: Any, heard: int | None) -> None:
    clips = [one(generator, request(heard=heard, guidance=value)) for value in (1.0, 3.0, 5.0)]
    assert far_apart(clips[0], clips[1])
    assert far_apart(clips[1], clips[2])


@pytest.mark.parametrize("heard", [None, 1])
def test_the_seed_repeats_the_music_to_the_bit_and_another_changes_it(
    generator: Any, heard: int | None
) -> None:
    clip = one(generator, request(heard=heard, seed=7))
    assert np.array_equal(clip, one(generator, request(heard=heard, seed=7)))
    assert far_apart(clip, one(generator, request(heard=heard, seed=8)))


def test_a_mode_of_text_alone_hears_nothing(generator: Any) -> None:
    unheard = replace(request(), conditioning=request(heard=1).conditioning)
    assert np.array_equal(one(generator, unheard), one(generator, request()))


def test_requests_of_one_call_are_made_as_they_are_alone(generator: Any) -> None:
    asked = [request(heard=1), request("wild drums, long prompt", seconds=0.7), request(seed=3)]
    together = generator.generate(asked)
    for clip, each in zip(together, asked, strict=True):
        assert np.array_equal(clip, one(generator, each))


@pytest.mark.parametrize("seconds", [0.0213, 0.5, 0.58, 1.00001])
def test_the_duration_is_exact(generator: Any, seconds: float) -> None:
    assert one(generator, request(seconds=seconds)).shape == (round(seconds * RATE),)


def test_what_was_made_is_heard_and_is_float32(generator: Any) -> None:
    clip = one(generator, request(heard=1))
    assert clip.dtype == np.float32
    assert 1e-3 < clip.std() < 1
