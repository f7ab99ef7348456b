"""Computes the vector of a text query."""

from collections.abc import Callable
from typing import cast

from mirpipe import registry
from mirpipe.models import device_lease
from mirpipe.protocols import TextEncoder
from mirpipe.records import Float32
from mirpipe.stages.embed.text_tower import embed_one_text


def embed_text(
    encoder: str, words: str, *, on_wait: Callable[[str], None] | None = None
) -> Float32:
    """Return the vector of the query's words, shape (dimension,), float32, of length 1.

    If another process uses the GPU, `on_wait` is called with the GPU's name, and the function
    waits. Raises Unavailable if a file or library of the encoder's text tower is missing, and
    PluginError if the text tower is broken.
    """
    registry.ENCODERS.require_text(encoder)
    with device_lease.hold_gpu([registry.ENCODERS.needs(encoder)], on_wait=on_wait):
        model = cast(TextEncoder, registry.ENCODERS.load(encoder))
        return embed_one_text(model, registry.ENCODERS.spec(encoder), words)
