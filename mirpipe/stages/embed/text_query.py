"""Computes the vector of a text query."""

from typing import cast

from mirpipe import registry
from mirpipe.protocols import TextEncoder
from mirpipe.records import Float32
from mirpipe.stages.embed.text_tower import embed_one_text


def embed_text(encoder: str, words: str) -> Float32:
    """Return the vector of the query's words, shape (dimension,), float32, of length 1.

    Raises Unavailable if a file or library of the encoder's text tower is missing, and PluginError
    if the text tower is broken.
    """
    registry.ENCODERS.require_text(encoder)
    model = cast(TextEncoder, registry.ENCODERS.load(encoder))
    return embed_one_text(model, registry.ENCODERS.spec(encoder), words)
