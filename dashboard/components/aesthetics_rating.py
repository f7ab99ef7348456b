"""Track ratings by Audiobox Aesthetics: values and explanations of the four axes."""

from collections.abc import Sequence

from dashboard.components import markup
from dashboard.components.number_format import format_number
from dashboard.components.plugin_labels import random_weights_badge
from mirpipe.db import queries

MODEL = "Audiobox Aesthetics"
AXES = (
    ("aesthetics_ce", "CE, enjoyment", 2),
    ("aesthetics_cu", "CU, usefulness", 2),
    ("aesthetics_pc", "PC, complexity", 2),
    ("aesthetics_pq", "PQ, quality", 2),
)
"""Metric, name and number of decimals for each axis."""
SHORT_NAMES = ("CE", "CU", "PC", "PQ")
MEANING = (
    "CE, CU, PC and PQ are content enjoyment, content usefulness, production complexity and "
    f"production quality. {MODEL} predicts the ratings that listeners would give, from 1 to 10."
)
"""Explanation of the axes for viewers."""


def axis_values(aesthetics: queries.Aesthetics | None) -> list[tuple[str, str]]:
    """Return the name and the value of each axis, or an empty list if the track has no rating."""
    if aesthetics is None:
        return []
    values = (aesthetics.ce, aesthetics.cu, aesthetics.pc, aesthetics.pq)
    return [
        (name, format_number(value, 2)) for name, value in zip(SHORT_NAMES, values, strict=True)
    ]


def show_explanation(ratings: Sequence[queries.Aesthetics]) -> None:
    """Explain the axes and show the licence of the weights, or nothing if there are no ratings."""
    if not ratings:
        return
    licences = sorted({rating.licence_weights or "not stated" for rating in ratings})
    markup.show(markup.muted_line(f"{MEANING} Licence of the weights: {', '.join(licences)}"))
    if any(rating.random for rating in ratings):
        markup.show(random_weights_badge(MODEL))
