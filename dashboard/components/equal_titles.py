"""Tells apart tracks with equal titles, for lists that a page puts together from several reads."""

from collections import Counter
from collections.abc import Mapping

from dashboard.data import current_state
from mirpipe.db.queries.track_names import names_of_tracks


def told_apart(titles: Mapping[int, str]) -> dict[int, str]:
    """Return titles by track id. Equal ones are followed by the artist, the album or the path."""
    tracks = Counter(titles.values())
    equal = [track_id for track_id, title in titles.items() if tracks[title] > 1]
    return {**titles, **(current_state.read(names_of_tracks, equal) if equal else {})}
