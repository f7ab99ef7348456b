"""Interfaces of the plug-ins. Each kind of plug-in implements one method.

The module of a plug-in contains `SPEC` (its EncoderSpec, TrackMetricSpec, CaptionerSpec or
GeneratorSpec) and a class `Plugin`. Heavy imports belong into the constructor of `Plugin`.

A plug-in that needs weights or more libraries declares them in `NEEDS` (a Needs). Its `Plugin` then
takes a Runtime as its only argument. Without `NEEDS`, `Plugin` takes no argument.
"""

from collections.abc import Sequence
from typing import Protocol

from mirpipe.records import AudioSegment, CaptionInput, Float32, GenerationRequest


class Encoder(Protocol):
    """A model that turns windows of audio into vectors. Its `SPEC` is an EncoderSpec.

    An encoder may have two optional attributes:

    - `device`: the device on which the model computes, such as `cuda:0`.
    - `rows_are_independent`: if true, the encoder promises that on a CPU the bytes of a row do not
      depend on the other segments of the call. The stage then fills a call with windows of several
      tracks, which is faster if a call with few windows does not use the whole device. On other
      devices, and without this promise, a row may change slightly with the batch: the cosine of two
      such rows is at least 0.99999.
    """

    def embed(self, segments: Sequence[AudioSegment]) -> Float32:
        """Return one row per segment: shape (len(segments), SPEC.dimension), float32, finite.

        Each row depends only on its own segment. The stage pools the rows of a track and applies
        the L2 norm.
        """
        ...


class TextEncoder(Protocol):
    """The second interface of an encoder that has `text_weights` in its NEEDS."""

    def embed_text(self, texts: Sequence[str]) -> Float32:
        """Return one row per text, in the same space as `embed`.

        The shape is (len(texts), SPEC.dimension), dtype float32.
        """
        ...


class TrackMetric(Protocol):
    """A model that scores windows of audio on several axes. Its `SPEC` is a TrackMetricSpec."""

    def score(self, segments: Sequence[AudioSegment]) -> Float32:
        """Return one row per segment: shape (len(segments), len(SPEC.axes)), float32, finite.

        Each row depends only on its own segment. The stage computes the length-weighted mean.
        """
        ...


class Captioner(Protocol):
    """A model that describes music in words. Its `SPEC` is a CaptionerSpec."""

    def caption(self, inputs: Sequence[CaptionInput]) -> list[str]:
        """Return one caption per track, in the order of `inputs`.

        Each caption depends only on its own track. The same track always gets the same caption. No
        caption is empty: raises RejectedInput (`no_caption`) if the model returns no text.
        """
        ...


class Generator(Protocol):
    """A model that generates music. Its `SPEC` is a GeneratorSpec.

    Raises OutOfMemory if a batch does not fit into memory. The caller then tries a smaller batch.
    """

    def generate(self, requests: Sequence[GenerationRequest]) -> list[Float32]:
        """Return the mono samples of one clip per request, in the order of `requests`.

        Each array has the shape (n,), dtype float32, values −1 … 1 and the rate SPEC.sample_rate.
        `n` is `round(request.seconds * SPEC.sample_rate)`. On one device, with the same library
        versions, the same request always gives the same samples. They do not depend on the other
        requests of the batch.
        """
        ...
