"""Requests, weights and a clip comparison for the tests of the large generators."""

from pathlib import Path
from typing import Any

import numpy as np

from mirpipe.generation.modes import Mode
from mirpipe.records import AudioSegment, Float32, GenerationRequest
from mirpipe.specs import WeightFile
from tests.support.random_weights import folder_of_weights
from tests.support.synthetic_music import melody

RATE = 32_000


def random_weights_of(plugin: Any) -> dict[WeightFile, Path]:
    """Return the paths of the random weights for a plug-in module."""
    folder = folder_of_weights()
    return {file: folder / file.repository / file.filename for file in plugin.NEEDS.weights}


def request(
    prompt: str = "calm piano",
    *,
    melody_seed: int | None = None,
    guidance: float | None = 3.0,
    seconds: float = 0.4,
    seed: int = 0,
    sample_rate: int = RATE,
) -> GenerationRequest:
    """Return a request. `melody_seed` is its conditioning audio's seed, or None for no audio."""
    is_conditioned = melody_seed is not None
    conditioning = None
    if melody_seed is not None:
        conditioning = AudioSegment(melody(1, sample_rate, seed=melody_seed), sample_rate)
    mode = Mode("test", is_conditioned=is_conditioned, guidance=guidance)
    return GenerationRequest(mode, prompt, seconds, seed, conditioning, features=None)


def generate_alone(generator: Any, request: GenerationRequest) -> Float32:
    """Return the clip for a request that is generated alone."""
    clip: Float32 = generator.generate([request])[0]
    return clip


def is_different_music(clip: Float32, other_clip: Float32) -> bool:
    """Return whether two clips contain different music and do not differ only by rounding."""
    return bool(np.abs(clip - other_clip).mean() > 0.1 * np.abs(clip).mean())
