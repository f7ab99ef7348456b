"""Findings about the audio of usable tracks, and their number by kind."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_rows


@dataclass(frozen=True)
class AudioFinding:
    """Something about a track's audio that may affect its results."""

    kind: str
    """damage, early_end, length, checksum, clipping, silence, dead_channel, inverted_channel,
    dc_offset, level or bandwidth."""
    severity: str
    """`warning` if the results of the track may be wrong, `info` if they are hardly affected."""
    title: str
    collection: str
    seconds: float | None
    """Position in the track, in seconds. None if the finding concerns the complete track."""
    detail: str
    """The finding in one sentence."""
    path: str | None
    track_id: int


@dataclass(frozen=True)
class FindingCount:
    """The findings of one kind and severity."""

    kind: str
    severity: str
    tracks: int
    """Number of tracks with such a finding."""


_NAMES = {"dc_offset": "DC offset"}
_FINDINGS = text("""
    SELECT kind, severity, title, collection, seconds, detail, path, track_id
    FROM mirpipe.v_finding
    WHERE (CAST(:kinds AS text[]) = '{}' OR kind = ANY(:kinds))
      AND (CAST(:collections AS text[]) = '{}' OR collection = ANY(:collections))
    ORDER BY severity DESC, kind, title, track_id, number
    LIMIT :limit OFFSET :offset
""")
_FINDINGS_OF_TRACK = text("""
    SELECT f.kind, f.severity, t.title, t.collection, f.seconds, f.detail, NULL AS path, t.track_id
    FROM mirpipe.finding f JOIN mirpipe.track t USING (track_id)
    WHERE f.track_id = :track_id ORDER BY f.severity DESC, f.number LIMIT 100
""")
_COUNTS = text("""
    SELECT kind, severity, count(DISTINCT track_id) AS tracks FROM mirpipe.v_finding
    GROUP BY kind, severity ORDER BY severity DESC, tracks DESC, kind
""")

_NUMBER = text("""
    SELECT count(*) AS n FROM mirpipe.v_finding
    WHERE (CAST(:kinds AS text[]) = '{}' OR kind = ANY(:kinds))
      AND (CAST(:severity AS text) IS NULL OR severity = :severity)
      AND (CAST(:collections AS text[]) = '{}' OR collection = ANY(:collections))
""")


@dataclass(frozen=True)
class _Number:
    n: int


def finding_name(kind: str) -> str:
    """Return the display name of a kind of findings, such as "DC offset" for dc_offset."""
    return _NAMES.get(kind, kind.replace("_", " "))


def findings(
    *,
    kinds: Sequence[str] = (),
    collections: Sequence[str] = (),
    limit: int | None = None,
    offset: int = 0,
) -> list[AudioFinding]:
    """Return the findings of these kinds and collections, warnings first.

    An empty sequence stands for all kinds or all collections. At most `limit` findings are
    returned, after the first `offset` ones.
    """
    return read_rows(
        AudioFinding,
        _FINDINGS,
        kinds=list(kinds),
        collections=list(collections),
        limit=limit,
        offset=offset,
    )


def findings_of_track(track_id: int) -> list[AudioFinding]:
    """Return the findings of one track, usable or not, warnings first. They name no path."""
    return read_rows(AudioFinding, _FINDINGS_OF_TRACK, track_id=track_id)


def finding_counts() -> list[FindingCount]:
    """Return the number of tracks by kind and severity, warnings first."""
    return read_rows(FindingCount, _COUNTS)


def findings_n(
    *, kinds: Sequence[str] = (), severity: str | None = None, collections: Sequence[str] = ()
) -> int:
    """Return the number of findings with these properties. None and () stand for any."""
    [row] = read_rows(
        _Number, _NUMBER, kinds=list(kinds), severity=severity, collections=list(collections)
    )
    return row.n
