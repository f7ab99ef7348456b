"""What Audiobox Aesthetics says of tracks, as numbers and in words."""

from collections.abc import Sequence

from dashboard.components import markup
from mirpipe.db import queries

MODEL = "Audiobox Aesthetics"
AXES = (
    ("aesthetics_ce", "CE, enjoyment", 2),
    ("aesthetics_cu", "CU, usefulness", 2),
    ("aesthetics_pc", "PC, complexity", 2),
    ("aesthetics_pq", "PQ, quality", 2),
)
"""Metric, name and decimals of each axis."""


def readings(aesthetics: queries.Aesthetics | None) -> list[tuple[str, str]]:
    """What a model says of a track; nothing where none was asked."""
    if aesthetics is None:
        return []
    values = (aesthetics.ce, aesthetics.cu, aesthetics.pc, aesthetics.pq)
    names = ("CE", "CU", "PC", "PQ")
    return [(name, markup.number(v, 2)) for name, v in zip(names, values, strict=True)]


def explain(aesthetics: Sequence[queries.Aesthetics]) -> None:
    """What CE, CU, PC and PQ are, and what a reader must know of the model that gave them."""
    if not aesthetics:
        return
    licences = sorted({row.licence_weights or "not stated" for row in aesthetics})
    markup.show(
        markup.line(
            "CE, CU, PC, PQ: content enjoyment and usefulness, production complexity and quality, "
            "what listeners would give, 1 to 10, as Audiobox Aesthetics predicts it; licence of "
            f"its weights: {', '.join(licences)}"
        )
    )
    if any(row.random for row in aesthetics):
        markup.show(markup.badge(f"Audiobox Aesthetics: {markup.RANDOM}"))
