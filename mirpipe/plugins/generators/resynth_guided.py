"""Resynthesis with a guidance scale: a mix of what `resynth` plays with and without the target.

This generator is not a model and does not compose. It shows what the charts of guidance look like
without model weights: the higher the guidance, the louder the target's transcription and the softer
the music of the prompt. A clip that is not conditioned contains the music of the prompt alone.

The share of the target's transcription in the samples is g / (g + 3) at the guidance g: 25% at 1,
50% at 3 and 73% at 8.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mirpipe.music.synthesiser import normalise_level
from mirpipe.plugins.generators import resynth
from mirpipe.records import Float32, GenerationRequest

HALF_GUIDANCE = 3.0
"""Guidance at which both parts are equally loud."""
FOLLOWING_MODE = "medium"
"""Mode in which `resynth` plays the target's notes without moving them."""

SPEC = replace(
    resynth.SPEC,
    name="resynth_guided",
    has_guidance=True,
    uses_conditioning_audio=False,
    sampling={"half_guidance": HALF_GUIDANCE, "resynth": resynth.SPEC.version},
    citation="mirpipe: resynth, mixed by guidance (a baseline)",
)


class Plugin:
    """The synthesiser, which needs no weights and no model libraries."""

    def generate(self, requests: Sequence[GenerationRequest]) -> list[Float32]:
        """Return one mono clip at 32 kHz per request, in order.

        Each clip depends only on its own request.
        """
        return [_clip(request) for request in requests]


def _clip(request: GenerationRequest) -> Float32:
    mode = request.mode
    unconditioned = replace(request, mode=replace(mode, is_conditioned=False))
    following = replace(request, mode=replace(mode, name=FOLLOWING_MODE))
    if not mode.is_conditioned:
        return resynth.Plugin().generate([unconditioned])[0]
    own, target = (
        clip.astype(np.float64) for clip in resynth.Plugin().generate([unconditioned, following])
    )
    guidance = mode.guidance or 0.0
    share = guidance / (guidance + HALF_GUIDANCE)
    return normalise_level((1 - share) * own + share * target, SPEC.sample_rate)
