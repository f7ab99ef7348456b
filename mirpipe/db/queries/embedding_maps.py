"""Where tracks lie on the latest run's maps, one an encoder."""

from dataclasses import dataclass

from sqlalchemy import text

from mirpipe.db.queries.read_rows import rows
from mirpipe.settings import settings


@dataclass(frozen=True)
class Map:
    """A projection of an encoder's space onto the two directions of most variance.

    `spread_x` and `spread_y` are the shares of the references' variance along them, `points` how
    many of `tracks` are drawn.
    """

    encoder: str
    tracks: int
    points: int
    spread_x: float
    spread_y: float
    licence_weights: str
    random: bool


@dataclass(frozen=True)
class Point:
    """A track on a map; `content_sha256` is what a link should hold."""

    track_id: int
    content_sha256: str
    title: str
    collection: str
    labels: dict[str, str]
    x: float
    y: float


_MAPS = text("""
    SELECT e.name AS encoder, m.tracks_n AS tracks, m.spread_x, m.spread_y,
        (SELECT count(*) FROM mirpipe.map_point p
            WHERE (p.run_id, p.encoder_id) = (m.run_id, m.encoder_id)) AS points,
        coalesce(e.spec ->> 'licence_weights', '') AS licence_weights,
        e.is_random AS random
    FROM mirpipe.map m JOIN mirpipe.encoder e USING (encoder_id)
    ORDER BY array_position(CAST(:shown AS text[]), e.name), e.name
""")
_POINTS = text("""
    SELECT t.track_id, encode(t.content_sha256, 'hex') AS content_sha256, t.title, t.collection,
        t.labels, p.x, p.y
    FROM mirpipe.map_point p
    JOIN mirpipe.encoder e USING (encoder_id)
    JOIN mirpipe.track t USING (track_id)
    WHERE e.name = :encoder
    ORDER BY array_position(ARRAY['generated', 'reference', 'target'], t.collection), t.track_id
""")


def maps() -> list[Map]:
    """The maps that there are, in the order in which encoders are shown."""
    return rows(Map, _MAPS, shown=settings().encoders)


def points(encoder: str) -> list[Point]:
    """The points of an encoder's map, targets last, so that they are drawn on top."""
    return rows(Point, _POINTS, encoder=encoder)
