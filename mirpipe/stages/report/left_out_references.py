"""Which references are left out of the ranking of each query before P@k, MRR and mAP are computed.

References with the same recording as the query are left out, unless the settings say that they
count. The album filter also leaves out the references of the query's album, and the artist filter
those of its artists.
"""

from array import array
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection

from mirpipe.db.store.same_recordings_of_tracks import read_same_recordings
from mirpipe.db.store.track_labels import read_albums_and_artists
from mirpipe.records import Bool, Int64
from mirpipe.settings import settings

FILTERS = ("album", "artist")
"""Names of the filters by tags."""


@dataclass(frozen=True)
class LeftOut:
    """The references that one filter leaves out, for each of n queries."""

    filter: str
    """Name of the filter: `none`, `album` or `artist`."""
    places: Sequence[Int64 | None]
    """Indices of the references that are left out for each query. None if there are none."""
    is_filtered: Bool | None
    """Whether each query has the filter's tag, shape (n,). None without a filter."""

    def __getitem__(self, rows: slice) -> "LeftOut":
        """Return what is left out for some of the queries."""
        is_filtered = None if self.is_filtered is None else self.is_filtered[rows]
        return LeftOut(self.filter, self.places[rows], is_filtered)


def left_out_references(
    connection: Connection, query_ids: Int64, reference_ids: Int64
) -> list[LeftOut]:
    """Return which references are left out for each query: first without a filter, then by filter.

    The indices refer to `reference_ids`. Filters for which no query has a tag are left out.
    """
    same: list[Int64 | None] = [None] * len(query_ids)
    if not settings().same_recording_counts:
        same = _same_recordings(connection, query_ids, reference_ids)
    tags_of_queries = list(map(_tags, read_albums_and_artists(connection, query_ids)))
    places: dict[str, dict[str, array[int]]] = {
        name: {value: array("q") for tags in tags_of_queries for value in tags[name]}
        for name in FILTERS
    }
    if any(places.values()):
        rows = read_albums_and_artists(connection, reference_ids)
        for place, tags in enumerate(map(_tags, rows)):
            for name in FILTERS:
                for value in tags[name] & places[name].keys():
                    places[name][value].append(place)
    return [LeftOut("none", same, None)] + [
        _filtered(name, same, [tags[name] for tags in tags_of_queries], places[name])
        for name in FILTERS
        if places[name]
    ]


def _same_recordings(
    connection: Connection, query_ids: Int64, reference_ids: Int64
) -> list[Int64 | None]:
    """Return the indices of the references with the same recording as each query."""
    tracks, others = read_same_recordings(connection, query_ids)
    by_id = np.argsort(reference_ids)
    position = np.searchsorted(reference_ids, others, sorter=by_id)
    position[position == len(by_id)] = 0
    is_reference = reference_ids[by_id[position]] == others
    places: dict[int, list[int]] = {}
    for track_id, place in zip(
        tracks[is_reference].tolist(), by_id[position[is_reference]].tolist(), strict=True
    ):
        places.setdefault(track_id, []).append(place)
    return [
        np.unique(places[query_id]) if query_id in places else None
        for query_id in query_ids.tolist()
    ]


def _filtered(
    name: str,
    same: Sequence[Int64 | None],
    tags_of_queries: Sequence[Collection[str]],
    places: Mapping[str, Sequence[int]],
) -> LeftOut:
    """Return what a filter leaves out: all references that share a value with the query.

    `places` contains the indices of the references with each value of a query.
    """
    places_by_value = {value: np.array(found, np.int64) for value, found in places.items()}
    left_out = []
    for recordings, tags in zip(same, tags_of_queries, strict=True):
        parts = [places_by_value[value] for value in tags]
        parts += [] if recordings is None else [recordings]
        left_out.append(np.concatenate(parts) if parts else None)
    return LeftOut(name, left_out, np.array([bool(tags) for tags in tags_of_queries]))


def _tags(row: tuple[str | None, str | None, str | None]) -> dict[str, frozenset[str]]:
    """Return the values by which each filter compares a track. Case and outer spaces do not count.

    `row` contains album, album artist and artist. An album is compared together with its album
    artist, or the artist if there is none. Of several artists, which are separated by semicolons,
    one common artist is enough.
    """
    album, album_artist, artist = row
    name = _normal(album)
    return {
        "album": frozenset([f"{name}\0{_normal(album_artist) or _normal(artist)}"] if name else []),
        "artist": frozenset(filter(None, map(_normal, (artist or "").split(";")))),
    }


def _normal(tag: str | None) -> str:
    return (tag or "").strip().casefold()
