"""What tests ask of both MusicGen plug-ins, on which weights, and how they compare answers."""

from pathlib import Path
from typing import Any

import numpy as np

from mirpipe.generation.modes import Mode
from mirpipe.records import AudioSegment, Float32, Request
from mirpipe.specs import WeightFile
from tests.support.random_weights import folder_of_weights
from tests.support.synthetic_music import melody

RATE = 32_000


def stand_in_of(plugin: Any) -> dict[WeightFile, Path]:
    """Where the random weights of the plug-in's module lie."""
    folder = folder_of_weights()
    return {file: folder / file.repository / file.filename for file in plugin.NEEDS.weights}


def request(
    prompt: str = "calm piano",
    *,
    heard: int | None = None,
    guidance: float | None = 3.0,
    seconds: float = 0.4,
    seed: int = 0,
) -> Request:
    """`heard` is the seed of the melody that conditions it; None: a mode of text alone."""
    clip = None if heard is None else AudioSegment(melody(1, RATE, seed=heard), RATE)
    mode = Mode("test", is_conditioned=heard is not None, guidance=guidance)
    return Request(mode, prompt, seconds, seed, clip, features=None)


def one(generator: Any, asked: Request) -> Float32:
    """The clip of a request that is alone in its call."""
    clip: Float32 = generator.generate([asked])[0]
    return clip


def far_apart(one: Float32, other: Float32) -> bool:
    """Whether they differ by as much as different music does, not by rounding."""
    return bool(np.abs(one - other).mean() > 0.1 * np.abs(one).mean())
