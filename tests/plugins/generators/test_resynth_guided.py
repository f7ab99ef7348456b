"""Tests for the resynthesis with a guidance scale: more guidance means more of the target."""

from dataclasses import replace
from itertools import pairwise

import numpy as np

from mirpipe.generation.modes import Mode
from mirpipe.plugins.generators import resynth, resynth_guided
from mirpipe.records import Float32, GenerationRequest
from tests.plugins.generators.music import MEDIUM, SIMPLE, STRONG, request


def play(request: GenerationRequest) -> Float32:
    [clip] = resynth_guided.Plugin().generate([request])
    return clip


def at(guidance: float) -> Mode:
    return Mode("sweep", is_conditioned=True, guidance=guidance)


def test_the_target_is_louder_at_higher_guidance() -> None:
    [target] = resynth.Plugin().generate([request(MEDIUM)])
    clips = [play(request(at(guidance))) for guidance in (0.0, 1.0, 3.0, 8.0)]
    shares = [float(np.corrcoef(clip, target)[0, 1]) for clip in clips]
    assert all(after > before + 0.05 for before, after in pairwise(shares)), shares


def test_without_guidance_or_conditioning_the_prompt_alone_is_played() -> None:
    [prompt] = resynth.Plugin().generate([request(SIMPLE)])
    np.testing.assert_array_equal(play(request(SIMPLE)), prompt)
    assert np.corrcoef(play(request(at(0.0))), prompt)[0, 1] > 0.99


def test_modes_differ_in_guidance_alone() -> None:
    medium, strong = replace(MEDIUM, guidance=3.0), replace(STRONG, guidance=3.0)
    np.testing.assert_array_equal(play(request(strong)), play(request(medium)))
    assert not np.array_equal(play(request(replace(strong, guidance=5.0))), play(request(medium)))
