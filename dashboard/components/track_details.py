"""Track details for cards with players: files, ratings, pictures, links and level."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dashboard.components.level_matching import common_level
from dashboard.components.track_link import TrackLinks, track_links
from dashboard.data import current_state
from mirpipe.db import queries


@dataclass(frozen=True)
class TrackDetails:
    """Files, aesthetics rating, picture and link of each track on the page, by track id."""

    files: Mapping[int, Sequence[queries.FileLocation]]
    aesthetics: Mapping[int, queries.Aesthetics]
    pictures: Mapping[int, queries.Picture]
    links: TrackLinks
    level: float
    """Level, in dBFS, to which all players are reduced."""


def read_track_details(
    track_ids: Sequence[int], *, compared_with: Sequence[queries.FileLocation] = ()
) -> TrackDetails:
    """Read the details of these tracks from the database.

    `compared_with` are the files of another track on the page, which is played at the same level.
    """
    files = current_state.read(queries.file_locations, track_ids)
    return TrackDetails(
        files,
        current_state.read(queries.aesthetics, track_ids),
        current_state.read(queries.pictures, track_ids),
        track_links(track_ids),
        common_level([compared_with, *files.values()]),
    )
