"""Makes complete encoder revisions active, and reads which revisions are active or maintained.

The matches of active revisions are shown to users. The neighbour lists of maintained revisions are
kept up to date.
"""

from collections.abc import Callable, Sequence
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

_ACTIVATE_FIRST = text("""
    INSERT INTO mirpipe.serving_revision (name, encoder_id)
    SELECT e.name, e.encoder_id FROM mirpipe.encoder e
    WHERE e.wanted
      AND EXISTS (SELECT FROM mirpipe.neighbour_state n WHERE n.encoder_id = e.encoder_id)
    ON CONFLICT (name) DO NOTHING
""")
_COMPLETE_CHALLENGERS = text("""
    SELECT e.encoder_id, s.encoder_id AS active_id
    FROM mirpipe.encoder e
    JOIN mirpipe.serving_revision s ON s.name = e.name AND s.encoder_id <> e.encoder_id
    WHERE CASE WHEN CAST(:encoder_id AS integer) IS NULL THEN e.wanted
            ELSE e.encoder_id = :encoder_id END
      AND NOT EXISTS (
        SELECT FROM mirpipe.track t
        WHERE t.state = 'ok' AND t.has_audio
          AND NOT EXISTS (
            SELECT FROM mirpipe.embedding v
            WHERE v.encoder_id = e.encoder_id AND v.track_id = t.track_id)
          AND NOT EXISTS (
            SELECT FROM mirpipe.failure f
            WHERE f.stage = 'embed' AND f.revision = e.revision AND f.track_id = t.track_id
              AND NOT f.retry))
      AND NOT EXISTS (SELECT FROM mirpipe.embedding_change c WHERE c.encoder_id = e.encoder_id)
      AND (
        SELECT new.coverage >= least(:sufficient_coverage, active.coverage)
        FROM mirpipe.v_encoder new JOIN mirpipe.v_encoder active USING (encoder)
        WHERE new.encoder = e.name AND new.revision = e.revision AND active.serving)
      AND NOT EXISTS (
        SELECT FROM mirpipe.pending_excerpt_embedding p
        JOIN mirpipe.excerpt_embedding x USING (excerpt_id)
        WHERE x.encoder_id = s.encoder_id AND p.encoder_id = e.encoder_id)
      AND EXISTS (SELECT FROM mirpipe.neighbour_state n WHERE n.encoder_id = e.encoder_id)
    ORDER BY e.name
""")
# The time for which prune keeps the vectors of the replaced revision starts now. The revision can
# have been unconfigured long ago.
_MAKE_ACTIVE = text("""
    WITH replaced AS (
        UPDATE mirpipe.encoder o SET unwanted_at = now()
        FROM mirpipe.serving_revision s JOIN mirpipe.encoder e USING (name)
        WHERE e.encoder_id = :encoder_id AND o.encoder_id = s.encoder_id
          AND o.encoder_id <> e.encoder_id AND NOT o.wanted)
    INSERT INTO mirpipe.serving_revision AS s (name, encoder_id)
    SELECT e.name, e.encoder_id FROM mirpipe.encoder e WHERE e.encoder_id = :encoder_id
    ON CONFLICT (name) DO UPDATE SET encoder_id = excluded.encoder_id
    WHERE s.encoder_id <> excluded.encoder_id
""")
_LOCK_ENCODER = text("SELECT FROM mirpipe.encoder WHERE encoder_id = :encoder_id FOR NO KEY UPDATE")
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


@dataclass(frozen=True)
class CompleteChallenger:
    """A revision that is complete and not active, and the active revision of the same encoder."""

    encoder_id: int
    active_id: int


def activate_complete_revisions(
    connection: Connection,
    *,
    takes_over: Callable[[Connection, CompleteChallenger], bool] = lambda *_: True,
) -> None:
    """Make configured revisions active: complete ones, and those whose name has no active revision.

    `takes_over` decides whether a complete revision replaces the active one. A revision becomes
    active only if it has at least one neighbour list.
    """
    connection.execute(_ACTIVATE_FIRST)
    for challenger in complete_challengers(connection):
        if takes_over(connection, challenger):
            make_active(connection, challenger.encoder_id)


def complete_challengers(
    connection: Connection, encoder_id: int | None = None
) -> list[CompleteChallenger]:
    """Return the configured revisions that are complete but not active, sorted by name.

    A revision is complete if every usable track has a vector or was rejected, if its coverage is
    sufficient, if `retrieve` has processed all vectors, and if no excerpt is pending of which the
    active revision has a vector. A track that failed and will be tried again is not complete. If
    `encoder_id` is given, only this revision is returned, even if it is not configured.
    """
    parameters = {"sufficient_coverage": SUFFICIENT_COVERAGE, "encoder_id": encoder_id}
    rows = connection.execute(_COMPLETE_CHALLENGERS, parameters)
    return [CompleteChallenger(*row) for row in rows]


def make_active(connection: Connection, encoder_id: int) -> None:
    """Show the matches of this revision instead of those of the active one, from the next run on.

    The vectors of the replaced revision are kept for the retention time of unused results.
    """
    connection.execute(_MAKE_ACTIVE, {"encoder_id": encoder_id})


def lock_encoder(connection: Connection, encoder_id: int) -> None:
    """Lock a revision that is not configured before it is made active.

    Until the transaction ends, no track can become usable without being queued for the revision.
    """
    connection.execute(_LOCK_ENCODER, {"encoder_id": encoder_id})


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
