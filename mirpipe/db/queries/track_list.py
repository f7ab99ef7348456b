"""One page of the list of all tracks, searched, filtered and sorted by the database."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from unicodedata import normalize

from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_rows
from mirpipe.db.queries.track_names import with_distinct_titles

MAX_WORDS = 8
"""Maximum number of words of a search. Further words are ignored."""
MAX_COUNTED = 10_000
"""Number of tracks up to which the result of a search is counted and can be paged through."""


@dataclass(frozen=True)
class ListedTrack:
    """A track in the list. Unknown texts are empty, and unknown numbers are None."""

    track_id: int
    title: str
    collection: str
    state: str
    """ok, rejected or gone."""
    reason: str
    """Code of the reason why the track was rejected. Empty if it was not rejected."""
    has_audio: bool
    """Whether a file of the track was ever ingested. If not, only its vectors are known."""
    artist: str
    album: str
    labels: dict[str, str]
    """All labels, such as artist, album, genre and instrument."""
    tempo_bpm: float | None
    key: str
    seconds: float | None
    findings: list[str]
    """Kinds of the findings about the audio, sorted."""
    path: str
    """First path, as one line of printable characters. If the track is gone, its last path."""
    first_seen: datetime
    """Time at which the track was ingested, with its time zone."""
    content_sha256: str
    """SHA-256 of the content, in hexadecimal."""


@dataclass(frozen=True)
class TrackFilter:
    """Which tracks are listed. An empty sequence stands for all values."""

    search: str = ""
    """Words that the title, the labels or a path must contain, in any order."""
    collections: Sequence[str] = ()
    states: Sequence[str] = ()
    findings: Sequence[str] = ()
    """Kinds of findings. A track needs a finding of one of these kinds."""
    without_audio: bool = False
    """Whether only tracks are listed that were added from a file of vectors, without audio."""
    track_ids: Sequence[int] | None = None
    """Result of `found_track_ids`. If given, these tracks are listed, and nothing is searched."""


@dataclass(frozen=True)
class _Sorting:
    expression: str
    joins: str = field(default="")


@dataclass(frozen=True)
class _Count:
    tracks: int


@dataclass(frozen=True)
class _Found:
    track_id: int


# The subquery is computed once. A join with the view instead would forbid a parallel plan.
_FEATURES = """
    LEFT JOIN mirpipe.track_feature f ON f.track_id = t.track_id
        AND f.metric_id = (SELECT metric_id FROM mirpipe.shown_metric WHERE name = 'features')
"""
_FIRST_PATHS = """
    LEFT JOIN (
        SELECT track_id,
            coalesce(min(path_text) FILTER (WHERE gone_at IS NULL), min(path_text)) AS path
        FROM mirpipe.track_file GROUP BY track_id
    ) p ON p.track_id = t.track_id
"""
_FINDINGS = """
    LEFT JOIN (SELECT track_id, count(*) AS findings FROM mirpipe.finding GROUP BY track_id) n
        ON n.track_id = t.track_id
"""
# The index track_by_title contains the first of these expressions.
_SORTINGS = {
    "title": _Sorting("lower(left(t.title, 100))"),
    "artist": _Sorting("lower(left(t.labels ->> 'artist', 100))"),
    "album": _Sorting("lower(left(t.labels ->> 'album', 100))"),
    "genre": _Sorting("lower(left(t.labels ->> 'genre', 100))"),
    "tempo": _Sorting("f.tempo_bpm", _FEATURES),
    "key": _Sorting("f.key", _FEATURES),
    "length": _Sorting("t.seconds"),
    "findings": _Sorting("n.findings", _FINDINGS),
    "path": _Sorting("left(p.path, 500)", _FIRST_PATHS),
    "added": _Sorting("t.first_seen"),
}
SORT_COLUMNS = tuple(_SORTINGS)
"""Columns by which the list can be sorted."""

_CONDITIONS = """
    (CAST(:collections AS text[]) = '{}' OR t.collection = ANY(:collections))
    AND (CAST(:states AS text[]) = '{}' OR t.state = ANY(:states))
    AND (CAST(:findings AS text[]) = '{}' OR t.track_id IN (
        SELECT track_id FROM mirpipe.finding WHERE kind = ANY(:findings)))
"""
# A search reads all titles, labels and paths once. No index serves a part of a word without the
# extension pg_trgm, which a server may not have. The subquery is computed once for each word, not
# for each track. normalize() would take most of the time, so the forms of the word are compared.
_CONTAINS_WORD = """
    AND (lower(t.title) {like}
        OR lower(CAST(jsonb_path_query_array(t.labels, '$.*') AS text)) {like}
        OR t.track_id IN (SELECT track_id FROM mirpipe.track_file WHERE lower(path_text) {like}))
"""
_NORMAL_FORMS: tuple[Literal["NFC", "NFD"], ...] = ("NFC", "NFD")
# OFFSET 0 keeps the planner from reading all tracks in the order of their titles instead.
_GIVEN_TRACKS = "(SELECT * FROM mirpipe.track WHERE track_id = ANY(:track_ids) OFFSET 0)"
# Only the tracks of the page are joined with what the page shows of them.
_PAGE = """
    SELECT t.track_id, t.title, t.collection, t.state, coalesce(t.reason, '') AS reason,
        coalesce(t.labels ->> 'artist', '') AS artist, coalesce(t.labels ->> 'album', '') AS album,
        t.has_audio, t.labels, f.tempo_bpm, coalesce(f.key, '') AS key, t.seconds,
        ARRAY(SELECT DISTINCT kind FROM mirpipe.finding d WHERE d.track_id = t.track_id
            ORDER BY kind) AS findings,
        coalesce((SELECT path_text FROM mirpipe.track_file l WHERE l.track_id = t.track_id
            ORDER BY l.gone_at IS NOT NULL, l.gone_at DESC, path_text LIMIT 1), '') AS path,
        t.first_seen, encode(t.content_sha256, 'hex') AS content_sha256
    FROM (
        SELECT t.track_id AS listed_id, {expression} AS sorted_by FROM {tracks} t {joins}
        WHERE {conditions} ORDER BY {order} LIMIT :limit OFFSET :offset
    ) page
    JOIN mirpipe.track t ON t.track_id = page.listed_id
    {features}
    ORDER BY page.sorted_by {direction} NULLS LAST, t.track_id {direction}
"""
_FOUND = "SELECT t.track_id FROM mirpipe.track t WHERE {conditions} LIMIT :limit"
_COUNT = """
    SELECT count(*) AS tracks FROM (
        SELECT FROM mirpipe.track t WHERE {conditions} LIMIT :limit) found
"""


def listed_tracks(
    chosen: TrackFilter,
    *,
    sort: str = "title",
    descending: bool = False,
    limit: int = 50,
    offset: int = 0,
) -> list[ListedTrack]:
    """Return the tracks from `offset` to `offset + limit`, in the order of the column `sort`.

    `sort` is one of `SORT_COLUMNS`. Tracks without a value come last. Titles differ within the
    page.
    """
    query = text(page_sql(chosen, sort=sort, descending=descending))
    rows = read_rows(ListedTrack, query, limit=limit, offset=offset, **parameters(chosen))
    return with_distinct_titles(rows, title="track_id")


def page_sql(chosen: TrackFilter, *, sort: str, descending: bool) -> str:
    """Return the SQL of a page. Its parameters are `limit`, `offset` and those of the filter."""
    sorting, direction = _SORTINGS[sort], "DESC" if descending else "ASC"
    # A title is never NULL, and the index does not serve NULLS LAST in the descending order.
    nulls = "" if sort == "title" else "NULLS LAST"
    return _PAGE.format(
        expression=sorting.expression,
        tracks="mirpipe.track" if chosen.track_ids is None else _GIVEN_TRACKS,
        joins=sorting.joins,
        conditions=conditions(chosen),
        order=f"{sorting.expression} {direction} {nulls}, t.track_id {direction}",
        direction=direction,
        features=_FEATURES,
    )


def listed_tracks_n(chosen: TrackFilter) -> int:
    """Return the number of tracks, but at most `MAX_COUNTED` + 1."""
    query = text(_COUNT.format(conditions=conditions(chosen)))
    return read_rows(_Count, query, limit=MAX_COUNTED + 1, **parameters(chosen))[0].tracks


def found_track_ids(chosen: TrackFilter) -> list[int]:
    """Return the ids of the tracks in any order, but of at most `MAX_COUNTED` + 1 tracks."""
    query = text(_FOUND.format(conditions=conditions(chosen)))
    rows = read_rows(_Found, query, limit=MAX_COUNTED + 1, **parameters(chosen))
    return [row.track_id for row in rows]


def _patterns(search: str) -> list[list[str]]:
    """Return, for each word, the patterns of LIKE that find it in any Unicode normal form."""
    escaped = [re.sub(r"([\\%_])", r"\\\1", word) for word in search.split()[:MAX_WORDS]]
    return [
        [f"%{form}%" for form in dict.fromkeys(normalize(name, word) for name in _NORMAL_FORMS)]
        for word in escaped
    ]


def conditions(chosen: TrackFilter) -> str:
    """Return the SQL condition of the filter on the table track, which has the alias t."""
    if chosen.track_ids is not None:
        return "t.track_id = ANY(:track_ids)"
    sql = _CONDITIONS + ("AND NOT t.has_audio" if chosen.without_audio else "")
    for number, patterns in enumerate(_patterns(chosen.search)):
        forms = ", ".join(f"lower(:word_{number}_{form})" for form in range(len(patterns)))
        sql += _CONTAINS_WORD.format(like=f"LIKE ANY(ARRAY[{forms}])")
    return sql


def parameters(chosen: TrackFilter) -> dict[str, object]:
    """Return the parameters of the conditions."""
    if chosen.track_ids is not None:
        return {"track_ids": list(chosen.track_ids)}
    return {
        "collections": list(chosen.collections),
        "states": list(chosen.states),
        "findings": list(chosen.findings),
        **{
            f"word_{number}_{form}": pattern
            for number, patterns in enumerate(_patterns(chosen.search))
            for form, pattern in enumerate(patterns)
        },
    }
