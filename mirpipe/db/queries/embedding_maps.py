"""The embedding maps of the latest run: two-dimensional track positions for each encoder."""

from dataclasses import dataclass

from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_rows
from mirpipe.db.queries.track_names import with_distinct_titles
from mirpipe.settings import settings


@dataclass(frozen=True)
class EmbeddingMap:
    """Projection of an encoder's space onto the first two principal components of references."""

    encoder: str
    tracks: int
    """Number of usable tracks with a vector."""
    points: int
    """Number of tracks on the map."""
    spread_x: float
    """Share of the references' variance along the first component, 0 to 1."""
    spread_y: float
    """Share of the references' variance along the second component, 0 to 1."""
    licence_weights: str
    """Licence of the encoder's weights."""
    random: bool
    """Whether the encoder has random weights."""


@dataclass(frozen=True)
class MapPoint:
    """A track on a map."""

    track_id: int
    content_sha256: str
    """SHA-256 of the content, in hexadecimal. It is used in links because it never changes."""
    title: str
    collection: str
    labels: dict[str, str]
    """Labels such as genre and instrument. A clip has those of its target."""
    genres: list[str]
    """Genres. Empty if the track has none. A clip has those of its target."""
    x: float
    """Position along the first principal component. 0 is the mean of the references."""
    y: float
    """Position along the second principal component. 0 is the mean of the references."""


@dataclass(frozen=True)
class ClosestPair:
    """The target and the best match with the highest cosine of all targets, by one encoder."""

    target_id: int
    target: str
    """Title of the target."""
    reference_id: int
    reference: str
    """Title of the best match."""
    cosine: float
    """Cosine in the encoder's own space."""
    equal_n: int
    """Number of targets whose best match has this cosine, rounded to three decimals."""


_MAPS = text("""
    SELECT e.name AS encoder, m.tracks_n AS tracks, m.spread_x, m.spread_y,
        (SELECT count(*) FROM mirpipe.map_point p
            WHERE (p.run_id, p.encoder_id) = (m.run_id, m.encoder_id)) AS points,
        coalesce(e.spec ->> 'licence_weights', '') AS licence_weights,
        e.is_random AS random
    FROM mirpipe.map m JOIN mirpipe.encoder e USING (encoder_id)
    ORDER BY array_position(CAST(:encoder_order AS text[]), e.name), e.name
""")
_MAP_POINTS = text("""
    SELECT t.track_id, encode(t.content_sha256, 'hex') AS content_sha256, t.title, t.collection,
        coalesce(target.labels, t.labels) AS labels, coalesce(target.genres, t.genres) AS genres,
        p.x, p.y
    FROM mirpipe.map_point p
    JOIN mirpipe.encoder e USING (encoder_id)
    JOIN mirpipe.track t USING (track_id)
    LEFT JOIN LATERAL (
        SELECT s.labels, s.genres FROM mirpipe.generation g
        JOIN mirpipe.track s ON s.track_id = g.target_id
        WHERE g.track_id = t.track_id ORDER BY g.generation_id LIMIT 1
    ) target ON t.collection = 'generated'
    WHERE e.name = :encoder
    ORDER BY array_position(ARRAY['generated', 'reference', 'target'], t.collection), t.track_id
""")

_CLOSEST_PAIR = text("""
    SELECT c.target_id, t.title AS target, c.reference_id, r.title AS reference, c.cosine, c.equal_n
    FROM (
        SELECT s.target_id, s.reference_id, s.cosine,
            count(*) OVER (PARTITION BY round(CAST(s.cosine AS numeric), 3)) AS equal_n
        FROM mirpipe.served_neighbour s JOIN mirpipe.encoder e USING (encoder_id)
        WHERE s.to_run IS NULL AND s.counted_rank = 1 AND e.name = :encoder
        ORDER BY s.cosine DESC, s.target_id LIMIT 1
    ) c
    JOIN mirpipe.track t ON t.track_id = c.target_id
    JOIN mirpipe.track r ON r.track_id = c.reference_id
""")


def maps() -> list[EmbeddingMap]:
    """Return the maps of the latest run. Encoders are in the order of the settings."""
    return read_rows(EmbeddingMap, _MAPS, encoder_order=settings().encoders)


def map_points(encoder: str) -> list[MapPoint]:
    """Return the points on an encoder's map. Targets come last, so that they are drawn on top."""
    rows = read_rows(MapPoint, _MAP_POINTS, encoder=encoder)
    return with_distinct_titles(rows, title="track_id")


def closest_pair(encoder: str) -> ClosestPair | None:
    """Return the most similar best match by this encoder, or None if no target has one."""
    rows = read_rows(ClosestPair, _CLOSEST_PAIR, encoder=encoder)
    named = with_distinct_titles(rows, target="target_id", reference="reference_id")
    return next(iter(named), None)
