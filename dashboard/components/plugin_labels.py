"""Names of encoders, captioners and generators, with licences and badges for random weights."""

from markupsafe import Markup

from dashboard.components.markup import badge, muted_line, no_wrap, title

RANDOM_WEIGHTS = "random weights"
RANDOM_WEIGHTS_NOTE = (
    "Models marked “random weights” are untrained, so their numbers have no musical meaning."
)
"""Sentence for pages with averages that include models with random weights."""


def plugin_cell(name: str, *, random: bool) -> Markup:
    """Return a plug-in's name on one line, and a badge below the name if its weights are random."""
    label = no_wrap(title(name))
    return label + Markup("<br>") + badge(RANDOM_WEIGHTS) if random else label


def plugin_text(name: str, *, random: bool) -> str:
    """Return a plug-in's name, followed by "(random weights)" if its weights are random."""
    return f"{name} ({RANDOM_WEIGHTS})" if random else name


def random_weights_badge(name: str) -> Markup:
    """Return a badge which states that the weights of this model are random."""
    return badge(f"{name}: {RANDOM_WEIGHTS}")


def licence_text(licence: str) -> str:
    """Return a line with the licence of a model's weights."""
    return f"licence of weights: {licence or 'not stated'}"


def plugin_heading(text: str, licence: str, *, random: bool) -> Markup:
    """Return a heading, with a badge if the weights are random, and the licence below it."""
    mark = badge(RANDOM_WEIGHTS) if random else ""
    heading = Markup("<h3 class='mp-encoder'>{} {}</h3>").format(text, mark)
    return heading + muted_line(licence_text(licence))
