"""Groups of tracks that contain the same audio, the same recording or the same tune."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import text

from mirpipe.db.queries.file_locations import file_locations
from mirpipe.db.queries.read_rows import read_rows

RELATIONS = ("same_file", "same_recording", "same_tune")


@dataclass(frozen=True)
class RelatedPair:
    """Two tracks of a group, and the evidence for their relation."""

    relation: str
    """same_file, same_recording or same_tune."""
    track_id: int
    other_id: int
    agreement: float | None
    """Share of equal bits in the common passage of the fingerprints. None for same_tune."""
    overlap_seconds: float | None
    """Length of the common passage. None for same_tune."""
    offset_seconds: float | None
    """Start of the common passage in the other track minus its start in the track."""
    aligned_melody: float | None
    """Aligned melody similarity. None if it was not computed or is undefined."""
    encoder: str | None
    """Encoder that ranks the reference highest for the target. None if it is no shown match."""
    cosine: float | None
    """Cosine similarity by this encoder."""
    via_target_id: int | None
    """Target of which both references are versions. None if the pair was compared directly."""


@dataclass(frozen=True)
class DuplicateTrack:
    """A track of a group."""

    track_id: int
    title: str
    collection: str
    paths: tuple[str, ...]
    """Paths of its files, each as one line of printable characters."""


@dataclass(frozen=True)
class DuplicateGroup:
    """Tracks that are connected by pairs. A single track has several files with the same audio."""

    tracks: tuple[DuplicateTrack, ...]
    pairs: tuple[RelatedPair, ...]


@dataclass(frozen=True)
class FingerprintState:
    """Numbers of usable references and targets whose duplicates cannot be found yet."""

    missing: Mapping[str, int]
    """Tracks without a fingerprint, by reason code. not_computed: no ingest has tried."""
    not_compared: int
    """Fingerprints that will be compared in the next run."""


@dataclass(frozen=True)
class _TrackRow:
    track_id: int
    title: str
    collection: str


@dataclass(frozen=True)
class _CountRow:
    reason: str
    tracks: int


_PAIRS = text("""
    SELECT relation, track_id, other_id, agreement, overlap_seconds, offset_seconds,
        aligned_melody, encoder, cosine, via_target_id
    FROM mirpipe.v_relation
    WHERE track_id < other_id AND relation = ANY(:relations)
      AND (CAST(:collections AS text[]) = '{}'
        OR collection = ANY(:collections) AND other_collection = ANY(:collections))
    ORDER BY track_id, other_id
""")
# An index alone answers the first query, so that only tracks with several files are looked up.
_TRACKS_WITH_COPIES = text("""
    WITH several AS MATERIALIZED (
        SELECT track_id FROM mirpipe.track_file GROUP BY track_id HAVING count(*) > 1
    )
    SELECT t.track_id, t.title, t.collection
    FROM several JOIN mirpipe.track_file f USING (track_id) JOIN mirpipe.track t USING (track_id)
    WHERE t.state = 'ok' AND f.gone_at IS NULL
      AND (CAST(:collections AS text[]) = '{}' OR t.collection = ANY(:collections))
    GROUP BY t.track_id HAVING count(*) > 1
""")
_TRACKS = text(
    "SELECT track_id, title, collection FROM mirpipe.track WHERE track_id = ANY(:track_ids)"
)
_MISSING = text("""
    SELECT coalesce(f.reason, 'not_computed') AS reason, count(*) AS tracks
    FROM mirpipe.track t LEFT JOIN mirpipe.fingerprint f USING (track_id)
    WHERE t.state = 'ok' AND t.collection <> 'generated' AND f.frames IS NULL
    GROUP BY 1 ORDER BY 1
""")
_NOT_COMPARED = text(
    "SELECT 'not_compared' AS reason, count(*) AS tracks FROM mirpipe.fingerprint_change"
)


def duplicate_groups(
    *, relations: Sequence[str] = RELATIONS[:2], collections: Sequence[str] = ()
) -> list[DuplicateGroup]:
    """Return the groups of tracks that these relations connect, the largest groups first.

    Both tracks of a pair must be in one of these collections. An empty sequence stands for all
    collections.
    """
    parameters = {"collections": list(collections)}
    pairs = read_rows(RelatedPair, _PAIRS, relations=list(relations), **parameters)
    copied = []
    if "same_file" in relations:
        copied = read_rows(_TrackRow, _TRACKS_WITH_COPIES, **parameters)
    ids = {pair.track_id for pair in pairs} | {pair.other_id for pair in pairs}
    rows = [*copied, *read_rows(_TrackRow, _TRACKS, track_ids=sorted(ids))]
    tracks = {row.track_id: row for row in rows}
    files = file_locations(sorted(tracks))
    members: dict[int, list[DuplicateTrack]] = defaultdict(list)
    pairs_of_group: dict[int, list[RelatedPair]] = defaultdict(list)
    groups = _groups(sorted(tracks), pairs)
    for track_id, row in sorted(tracks.items()):
        paths = tuple(file.shown for file in files.get(track_id, ()))
        track = DuplicateTrack(track_id, row.title, row.collection, paths)
        members[groups[track_id]].append(track)
    for pair in pairs:
        pairs_of_group[groups[pair.track_id]].append(pair)
    found = [DuplicateGroup(tuple(members[key]), tuple(pairs_of_group[key])) for key in members]
    return sorted(found, key=lambda group: -len(group.tracks))


def fingerprint_state() -> FingerprintState:
    """Return how many tracks have no fingerprint, and how many fingerprints are not compared."""
    missing = {row.reason: row.tracks for row in read_rows(_CountRow, _MISSING)}
    (not_compared,) = read_rows(_CountRow, _NOT_COMPARED)
    return FingerprintState(missing, not_compared.tracks)


def _groups(track_ids: Sequence[int], pairs: Sequence[RelatedPair]) -> dict[int, int]:
    """Return the number of the connected component of each track."""
    import numpy as np
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    position = {track_id: number for number, track_id in enumerate(track_ids)}
    rows = [position[pair.track_id] for pair in pairs]
    columns = [position[pair.other_id] for pair in pairs]
    size = len(track_ids)
    graph = coo_array((np.ones(len(pairs)), (rows, columns)), shape=(size, size))
    _, labels = connected_components(graph, directed=False)
    return dict(zip(track_ids, labels.tolist(), strict=True))
