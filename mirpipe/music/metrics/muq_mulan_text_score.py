"""MuQ-MuLan text score: the same cosine as the CLAP text score, in the space of `muq_mulan`.

The two scores come from different models, so their values are not comparable.

Source: Zhu et al. 2025 (arXiv 2501.01108), who compare captions with music in this space.
"""

from dataclasses import replace

from mirpipe.music.metrics.clap_text_score import TEXT_SCORE

MUQ_MULAN_TEXT_SCORE = replace(
    TEXT_SCORE, name="muq_mulan_text_score", citation="Zhu et al. 2025, arXiv 2501.01108"
)

MUQ_MULAN_ENCODER = "muq_mulan"
"""Name of the encoder whose text and audio vectors are compared."""
