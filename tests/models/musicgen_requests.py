"""What tests ask of both MusicGen plug-ins, and how they compare what they get."""

import numpy as np

from mirpipe.musical import Mode, Request
from mirpipe.records import Clip, Float32
from tests.synthetic_music import melody

RATE = 32_000


def request(
    prompt: str = "calm piano",
    *,
    heard: int | None = None,
    guidance: float | None = 3.0,
    seconds: float = 0.4,
    seed: int = 0,
) -> Request:
    """`heard` is the seed of the melody that conditions it; None: a mode of text alone."""
    clip = None if heard is None else Clip(melody(1, RATE, seed=heard), RATE)
    mode = Mode("test", is_conditioned=heard is not None, guidance=guidance)
    return Request(mode, prompt, seconds, seed, clip, features=None)


def far_apart(one: Float32, other: Float32) -> bool:
    """Whether they differ by as much as different music does, not by rounding."""
    return bool(np.abs(one - other).mean() > 0.1 * np.abs(one).mean())
