"""Generate: makes the configured clips that do not exist yet for each target.

A clip becomes a track in the collection `generated`. The other stages embed and score it like any
other track.
"""

from mirpipe.stages.generate.generate_clips import GenerateResult, generate
from mirpipe.stages.generate.missing_clips import (
    ClipSelection,
    Estimate,
    deactivate_other_generators,
    estimate,
    plan,
    register,
)

__all__ = [
    "ClipSelection",
    "Estimate",
    "GenerateResult",
    "deactivate_other_generators",
    "estimate",
    "generate",
    "plan",
    "register",
]
