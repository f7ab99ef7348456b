"""Makes complete encoder revisions active, and reads which revisions are active or maintained.

The matches of active revisions are shown to users. The neighbour lists of maintained revisions are
kept up to date.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text


@dataclass(frozen=True)
class ActiveEncoder:
    """An encoder revision whose matches are shown."""

    encoder_id: int
    name: str
    random: bool
    """Whether the weights are random, so that the matches are not meaningful for music."""


@dataclass(frozen=True)
class MaintainedEncoder:
    """A configured or active encoder revision, whose neighbour lists are kept up to date."""

    encoder_id: int
    name: str
    revision: str


SUFFICIENT_COVERAGE = 0.95
"""Share of the usable tracks for which a new revision needs a vector.

A new revision may cover fewer tracks if it covers at least as many as the active revision.
"""

_ACTIVATE = text("""
    INSERT INTO mirpipe.serving_revision AS s (name, encoder_id)
    SELECT e.name, e.encoder_id FROM mirpipe.encoder e
    WHERE e.wanted AND (
        NOT EXISTS (SELECT FROM mirpipe.serving_revision o WHERE o.name = e.name)
        OR NOT EXISTS (
            SELECT FROM mirpipe.track t
            WHERE t.state = 'ok'
              AND NOT EXISTS (
                SELECT FROM mirpipe.embedding v
                WHERE v.encoder_id = e.encoder_id AND v.track_id = t.track_id)
              AND NOT EXISTS (
                SELECT FROM mirpipe.failure f
                WHERE f.stage = 'embed' AND f.revision = e.revision AND f.track_id = t.track_id
                  AND NOT f.retry))
        AND NOT EXISTS (
            SELECT FROM mirpipe.embedding_change c WHERE c.encoder_id = e.encoder_id)
        AND (
            SELECT new.coverage >= least(:sufficient_coverage, active.coverage)
            FROM mirpipe.v_encoder new JOIN mirpipe.v_encoder active USING (encoder)
            WHERE new.encoder = e.name AND new.revision = e.revision AND active.serving)
        AND NOT EXISTS (
            SELECT FROM mirpipe.pending_excerpt_embedding p
            JOIN mirpipe.excerpt_embedding x USING (excerpt_id)
            JOIN mirpipe.serving_revision o ON o.encoder_id = x.encoder_id AND o.name = e.name
            WHERE p.encoder_id = e.encoder_id))
      AND EXISTS (SELECT FROM mirpipe.neighbour_state n WHERE n.encoder_id = e.encoder_id)
    ON CONFLICT (name) DO UPDATE SET encoder_id = excluded.encoder_id
    WHERE s.encoder_id <> excluded.encoder_id
""")
_ACTIVE = text("""
    SELECT e.encoder_id, e.name, e.is_random
    FROM mirpipe.serving_revision JOIN mirpipe.encoder e USING (encoder_id) ORDER BY e.name
""")
_MAINTAINED = text("""
    SELECT encoder_id, name, revision FROM mirpipe.encoder e
    WHERE (wanted OR EXISTS (SELECT FROM mirpipe.serving_revision s
        WHERE s.encoder_id = e.encoder_id))
      AND (CAST(:names AS text[]) IS NULL OR name = ANY(:names))
    ORDER BY name, encoder_id
""")


def activate_complete_revisions(connection: Connection) -> None:
    """Make a configured revision active if it is complete, or if its name has no active revision.

    A revision is complete if every usable track has a vector or was rejected, if its coverage is
    sufficient, if `retrieve` has processed all vectors, and if no excerpt is pending of which the
    active revision has a vector. A track that failed and will be tried again is not complete. A
    revision becomes active only if it has at least one neighbour list.
    """
    connection.execute(_ACTIVATE, {"sufficient_coverage": SUFFICIENT_COVERAGE})


def active_encoders(connection: Connection) -> list[ActiveEncoder]:
    """Return the active revisions, sorted by name."""
    return [ActiveEncoder(*row) for row in connection.execute(_ACTIVE)]


def maintained_encoders(
    connection: Connection, names: Sequence[str] | None = None
) -> list[MaintainedEncoder]:
    """Return the maintained revisions, sorted by name.

    If `names` is given, only the revisions of these encoders are returned.
    """
    parameters = {"names": None if names is None else list(names)}
    return [MaintainedEncoder(*row) for row in connection.execute(_MAINTAINED, parameters)]
