"""What a plug-in implements: one method each."""

from collections.abc import Sequence
from typing import Protocol

from mirpipe.records import Clip, Float32


class Encoder(Protocol):
    """Turns windows of audio into vectors.

    The module holds `SPEC` (an EncoderSpec) and a class `Plugin`; heavy imports stand inside its
    constructor. One that needs weights or libraries that core has not says so in `NEEDS` (a Needs),
    and its `Plugin` takes a Runtime; else `Plugin` takes nothing. `device`, where it has that
    attribute, says where it computes.
    """

    def embed(self, clips: Sequence[Clip]) -> Float32:
        """One row a clip, in order: shape (len(clips), SPEC.dimension), float32, finite.

        A row depends on its own clip alone. Pooling over a track's windows and the L2 norm are
        the stage's work.
        """
        ...
