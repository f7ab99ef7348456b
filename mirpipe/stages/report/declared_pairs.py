"""Decides which pairs of encoders, and of modes, are declared contrasts."""

from collections.abc import Sequence
from itertools import pairwise

from mirpipe.db.store.metric_series import Source
from mirpipe.generation.modes import SWEEP
from mirpipe.settings import settings

Pair = frozenset[Source]


def declared_pairs(sources: Sequence[Source]) -> set[Pair]:
    """Return the declared pairs among these sources.

    The sources are all encoders, in any order, or all modes of one generator.
    """
    if all(source.encoder_id is not None for source in sources):
        if chosen := settings().encoder_contrasts:
            return _chosen(sources, chosen)
        return _pairs_with_the_first(sources)
    if chosen := settings().mode_contrasts:
        return _chosen(sources, chosen)
    modes = [source for source in sources if source.mode != SWEEP]
    in_order = sorted(modes, key=lambda source: source.sort_key)
    return {frozenset(pair) for pair in pairwise(in_order)}


def _pairs_with_the_first(encoders: Sequence[Source]) -> set[Pair]:
    """Return the pairs of each encoder with the one that comes first in the settings.

    There are none if that encoder has no results yet. Otherwise, another encoder would be declared
    only because of the results.
    """
    by_name = {str(encoder.sort_key[0]): encoder for encoder in encoders}
    first = by_name.get(next(iter(settings().encoders), ""))
    if first is None:
        return set()
    return {frozenset((first, encoder)) for encoder in encoders if encoder != first}


def _chosen(sources: Sequence[Source], contrasts: Sequence[str]) -> set[Pair]:
    """Return the pairs of sources that match a contrast in the settings."""
    return {
        frozenset((one, other))
        for first, second in (contrast.split(":") for contrast in contrasts)
        for one in sources
        for other in sources
        if one != other and _matches(one, first) and _matches(other, second)
    }


def _matches(source: Source, name: str) -> bool:
    """Return whether the name is that of the encoder, or of the mode, with or without guidance."""
    if source.encoder_id is not None:
        return bool(source.sort_key[0] == name)
    mode, _, guidance = name.partition("@")
    if not guidance or source.guidance is None:  # The generator has no guidance.
        return source.mode == mode
    return source.mode == mode and source.guidance == float(guidance)
