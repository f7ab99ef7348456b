"""Tells apart tracks with equal titles in a list, by artist, album or path."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_rows

Row = TypeVar("Row")


@dataclass(frozen=True)
class NamedTrack:
    """What can tell a track apart from others with the same title. Unknown texts are empty."""

    track_id: int
    title: str
    artist: str
    album: str
    path: str
    """Path of the first file, as one line of printable characters."""
    collection: str
    content_sha256: str
    """SHA-256 of the content, in hexadecimal."""


_TRACKS = text("""
    SELECT t.track_id, t.title, coalesce(t.labels ->> 'artist', '') AS artist,
        coalesce(t.labels ->> 'album', '') AS album, coalesce((
            SELECT min(f.path_text) FROM mirpipe.track_file f
            WHERE f.track_id = t.track_id AND f.gone_at IS NULL), '') AS path,
        t.collection, encode(t.content_sha256, 'hex') AS content_sha256
    FROM mirpipe.track t WHERE t.track_id = ANY(:track_ids)
""")


def with_distinct_titles(rows: Sequence[Row], **id_fields: str) -> list[Row]:
    """Return the rows with titles that tell apart all tracks in the list.

    The rows are dataclasses. `id_fields` gives, for each field that contains a title, the field
    that contains the track's id, for example `reference="reference_id"`. If a title occurs for
    several tracks, artist, album or path are appended, as far as they are needed.
    """
    titles = {
        getattr(row, id_field): getattr(row, field)
        for row in rows
        for field, id_field in id_fields.items()
        if getattr(row, id_field) is not None
    }
    tracks_by_title = Counter(titles.values())
    ambiguous = [track_id for track_id, title in titles.items() if tracks_by_title[title] > 1]
    if not ambiguous:
        return list(rows)
    names = distinct_names(read_rows(NamedTrack, _TRACKS, track_ids=ambiguous))
    changed = []
    for row in rows:
        fields = {field: names.get(getattr(row, id_fields[field])) for field in id_fields}
        changes = {field: name for field, name in fields.items() if name is not None}
        changed.append(replace(row, **changes))  # type: ignore[type-var] # rows are dataclasses
    return changed


def names_of_tracks(track_ids: Collection[int]) -> dict[int, str]:
    """Return a name for each of these tracks, by track id. Names of different tracks differ."""
    return distinct_names(read_rows(NamedTrack, _TRACKS, track_ids=list(track_ids)))


def distinct_names(tracks: Collection[NamedTrack]) -> dict[int, str]:
    """Return a name for each track, by track id. Names of different tracks differ.

    The name is the title. Among tracks with the same title, the first of these is appended that
    tells them all apart: artist; album; artist and album; artist and the end of the path; the
    collection, too; the first digits of the content hash, too.
    """
    by_title: dict[str, list[NamedTrack]] = {}
    for track in tracks:
        by_title.setdefault(track.title, []).append(track)
    return {
        track.track_id: f"{title} ({remark})" if remark else title
        for title, group in by_title.items()
        for track, remark in zip(group, _remarks(group), strict=True)
    }


def _remarks(group: Sequence[NamedTrack]) -> list[str]:
    """Return a remark for each track of a group with the same title. A single track has none."""
    if len(group) == 1:
        return [""]
    ends = _path_ends([track.path for track in group])
    end_of = {track.track_id: end for track, end in zip(group, ends, strict=True)}
    choices: list[Callable[[NamedTrack], list[str]]] = [
        lambda track: [track.artist],
        lambda track: [track.album],
        lambda track: [track.artist, track.album],
        lambda track: [track.artist, end_of[track.track_id]],
        lambda track: [track.artist, end_of[track.track_id], track.collection],
    ]
    for parts in choices:
        remarks = [", ".join(filter(None, parts(track))) for track in group]
        if len(set(remarks)) == len(group):
            return remarks
    return [
        f"{remark}, {track.content_sha256[:6]}"
        for remark, track in zip(remarks, group, strict=True)
    ]


def _path_ends(paths: Sequence[str]) -> list[str]:
    """Return the last parts of the paths: as many as are needed to tell the paths apart."""
    parts = [path.split("/") for path in paths]
    depth = max(len(each) for each in parts)
    for count in range(1, depth + 1):
        ends = ["/".join(each[-count:]) for each in parts]
        if len(set(ends)) == len(set(paths)):
            break
    return ends
