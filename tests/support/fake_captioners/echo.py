"""A captioner for tests: says what ECHO holds, or how long it listened."""

import os
from collections.abc import Sequence

from mirpipe.records import Heard
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
    """Repeats itself."""

    def caption(self, heard: Sequence[Heard]) -> list[str]:
        """A sentence a track."""
        return [os.environ.get("ECHO", f"{len(one.segment.samples)} samples") for one in heard]
