"""Embed: gives every usable track a vector of every wanted encoder revision.

A track is decoded once for all encoders that lack it, by threads that run ahead of the models. A
vector depends on its own track alone, so that a resumed run writes the bytes that an undisturbed
one would have written.
"""

from mirpipe.stages.embed.caption_vectors import embed_captions, plan_captions
from mirpipe.stages.embed.embed_tracks import EmbedResult, embed, embed_file
from mirpipe.stages.embed.missing_vectors import EmbedBatch, plan

__all__ = [
    "EmbedBatch",
    "EmbedResult",
    "embed",
    "embed_captions",
    "embed_file",
    "plan",
    "plan_captions",
]
