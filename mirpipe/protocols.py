"""What a plug-in implements: one method each."""

from collections.abc import Sequence
from typing import Protocol

from mirpipe.records import AudioSegment, Float32, Heard, Request


class Encoder(Protocol):
    """Turns windows of audio into vectors.

    The module holds `SPEC` (an EncoderSpec) and a class `Plugin`; heavy imports stand inside its
    constructor. One that needs weights or libraries that core has not says so in `NEEDS` (a Needs),
    and its `Plugin` takes a Runtime; else `Plugin` takes nothing. `device`, where it has that
    attribute, says where it computes.

    `rows_stand_alone`, where the plug-in sets it true, promises that on a CPU a row's very bytes do
    not depend on the segments beside it (elsewhere the cosine of .99999 holds that all keep). Its
    calls are then filled with windows of several tracks, which is worth it where a call of few
    windows leaves the device idle.
    """

    def embed(self, segments: Sequence[AudioSegment]) -> Float32:
        """One row a segment, in order: shape (len(segments), SPEC.dimension), float32, finite.

        A row depends on its own segment alone. Pooling over a track's windows and the L2 norm are
        the stage's work.
        """
        ...


class TextEncoder(Protocol):
    """What an encoder that has `text_weights` in its NEEDS can do besides."""

    def embed_text(self, texts: Sequence[str]) -> Float32:
        """One row a text, in the space of `embed`: shape (len(texts), SPEC.dimension)."""
        ...


class TrackMetric(Protocol):
    """Scores windows of audio on the axes of its `SPEC` (a TrackMetricSpec).

    The module is built as an encoder's is.
    """

    def score(self, segments: Sequence[AudioSegment]) -> Float32:
        """One row a segment, in order: shape (len(segments), len(SPEC.axes)), float32, finite.

        A row depends on its own segment alone. The length-weighted mean is the stage's work.
        """
        ...


class Captioner(Protocol):
    """Describes music in words. The module is built as an encoder's is, `SPEC` a CaptionerSpec."""

    def caption(self, heard: Sequence[Heard]) -> list[str]:
        """One caption a track, in order; each depends on its own track alone, and is repeatable.

        None is empty: raises RejectedInput (`no_caption`) where there is nothing to say of a track.
        """
        ...


class Generator(Protocol):
    """Makes music. The module is built as an encoder's is, `SPEC` a GeneratorSpec.

    Raises OutOfMemory where this many requests at once do not fit; the caller then asks for fewer.
    """

    def generate(self, requests: Sequence[Request]) -> list[Float32]:
        """One mono segment a request, in order, at SPEC.sample_rate: shape (n,), float32, −1 … 1.

        `n` is `round(request.seconds * SPEC.sample_rate)`. The same request gives the same samples
        on the same device and versions, whichever requests stand beside it.
        """
        ...
