"""A fake captioner that returns the environment variable ECHO, or the length of the segment."""

import os
from collections.abc import Sequence

from mirpipe.records import CaptionInput
from mirpipe.specs import CaptionerSpec

SPEC = CaptionerSpec(
    name="echo",
    version=1,
    checkpoint="none",
    checkpoint_sha256="",
    sample_rate=8000,
    window_samples=8000,
    instruction="",
    licence_code="Apache-2.0",
    licence_weights="none",
    citation="none",
)


class Plugin:
    """A captioner that computes nothing."""

    def caption(self, inputs: Sequence[CaptionInput]) -> list[str]:
        """Return one caption per track."""
        return [os.environ.get("ECHO", f"{len(track.segment.samples)} samples") for track in inputs]
