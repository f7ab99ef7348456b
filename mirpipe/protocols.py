"""Plug-in interfaces. Each kind of plug-in implements one method.

A plug-in module contains `SPEC` (its EncoderSpec, TrackMetricSpec, CaptionerSpec or
GeneratorSpec) and a class `Plugin`. Heavy imports belong in the constructor of `Plugin`.

A plug-in that needs weights or additional libraries declares them in `NEEDS` (a Needs object), and
its `Plugin` takes a Runtime as its only argument. Without `NEEDS`, `Plugin` takes no argument.
"""

from collections.abc import Sequence
from typing import Protocol

from mirpipe.records import AudioSegment, CaptionInput, Float32, GenerationRequest


class Encoder(Protocol):
    """A model that turns audio windows into vectors. Its `SPEC` is an EncoderSpec.

    An encoder may have two optional attributes:

    - `device`: the device on which the model runs, such as `cuda:0`.
    - `rows_are_independent`: true if the bytes of a row that the encoder computes on a CPU do not
      depend on the other segments of the call. The stage then fills each call with windows from
      several tracks, which is faster if a call with few windows does not use the whole device. On
      other devices, or if the attribute is false, a row may change slightly with the batch: the
      cosine similarity between two such rows is at least 0.99999.
    """

    def embed(self, segments: Sequence[AudioSegment]) -> Float32:
        """Return one row per segment: shape (len(segments), SPEC.dimension), float32, finite.

        Each row depends only on its own segment. The stage pools the rows of a track and
        L2-normalises the result.
        """
        ...


class TextEncoder(Protocol):
    """The additional interface of an encoder whose NEEDS contains `text_weights`."""

    def embed_text(self, texts: Sequence[str]) -> Float32:
        """Return one row per text, in the same space as `embed`.

        The shape is (len(texts), SPEC.dimension), dtype float32.
        """
        ...


class TrackMetric(Protocol):
    """A model that scores audio windows on several axes. Its `SPEC` is a TrackMetricSpec."""

    def score(self, segments: Sequence[AudioSegment]) -> Float32:
        """Return one row per segment: shape (len(segments), len(SPEC.axes)), float32, finite.

        Each row depends only on its own segment. The stage computes the length-weighted mean.
        """
        ...


class Captioner(Protocol):
    """A model that describes music in words. Its `SPEC` is a CaptionerSpec."""

    def caption(self, inputs: Sequence[CaptionInput]) -> list[str]:
        """Return one caption per track, in the order of `inputs`.

        Each caption depends only on its own track. The captioner always returns the same caption
        for the same track, and never an empty one. Raises RejectedInput (`no_caption`) if the model
        returns no text.
        """
        ...


class Generator(Protocol):
    """A model that generates music. Its `SPEC` is a GeneratorSpec.

    Raises OutOfMemory if a batch does not fit into memory. The caller tries again with a smaller
    batch.
    """

    def generate(self, requests: Sequence[GenerationRequest]) -> list[Float32]:
        """Return the mono samples of one clip per request, in the order of `requests`.

        Each array has the shape (n,), dtype float32, values from −1 to 1, and the sample rate
        SPEC.sample_rate. `n` is `round(request.seconds * SPEC.sample_rate)`. On one device, with
        the same library versions, the same request always gives the same samples, whatever other
        requests the batch contains.
        """
        ...
