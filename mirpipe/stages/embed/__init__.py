"""Embed: computes a vector for each usable track with each configured encoder.

A track is decoded only once for all encoders for which it is pending. Separate threads decode the
next tracks while the models run. A vector depends only on its own track, so an interrupted and
resumed run stores the same bytes as an uninterrupted run.
"""

from mirpipe.stages.embed.caption_vectors import embed_captions, plan_captions
from mirpipe.stages.embed.embed_tracks import EmbedResult, embed, embed_file
from mirpipe.stages.embed.missing_vectors import EmbedBatch, configure, plan

__all__ = [
    "EmbedBatch",
    "EmbedResult",
    "configure",
    "embed",
    "embed_captions",
    "embed_file",
    "plan",
    "plan_captions",
]
