"""Reads the stored revisions of encoders: their state, licence, size and speed."""

from dataclasses import dataclass

from sqlalchemy import Connection, text


@dataclass(frozen=True)
class StoredRevision:
    """An encoder revision that is or was registered."""

    encoder_id: int
    encoder: str
    revision: str
    active: bool
    """Whether its matches are shown."""
    configured: bool
    """Whether the settings request it."""
    random: bool
    """Whether the weights are random, so that the matches are not meaningful for music."""
    checkpoint: str | None
    licence_code: str | None
    licence_weights: str | None
    dimension: int
    """Number of values in a vector."""
    device: str | None
    """Device of the newest batch. None if no vector was computed here."""
    seconds_per_track: float | None
    """Mean time to embed a track on this device. None if no vector was computed here."""
    unsearched_n: int
    """Number of new, changed or deleted vectors that `retrieve` has not processed yet."""

    @property
    def label(self) -> str:
        """The name and the start of the revision, as in commands: `NAME@REVISION`."""
        return f"{self.encoder}@{self.revision[:8]}"


_REVISIONS = text("""
    SELECT e.encoder_id, e.name AS encoder, e.revision, s.encoder_id IS NOT NULL AS active,
        e.wanted AS configured, e.is_random AS random, e.spec ->> 'checkpoint' AS checkpoint,
        e.spec ->> 'licence_code' AS licence_code,
        e.spec ->> 'licence_weights' AS licence_weights, e.dimension,
        speed.device, speed.seconds_per_track,
        (SELECT count(*) FROM mirpipe.embedding_change c WHERE c.encoder_id = e.encoder_id)
            AS unsearched_n
    FROM mirpipe.encoder e
    LEFT JOIN mirpipe.serving_revision s USING (encoder_id)
    LEFT JOIN LATERAL (
        SELECT b.device, sum(b.seconds) / sum(b.tracks) AS seconds_per_track
        FROM mirpipe.embedding_batch b
        WHERE b.encoder_id = e.encoder_id AND b.tracks > 0 AND NOT b.is_imported
        GROUP BY b.device ORDER BY max(b.batch_id) DESC LIMIT 1) speed ON true
    ORDER BY e.name, active DESC, e.wanted DESC, e.encoder_id DESC
""")


def stored_revisions(connection: Connection) -> list[StoredRevision]:
    """Return all revisions, sorted by name. The active one comes first, then the configured one."""
    return [StoredRevision(**row) for row in connection.execute(_REVISIONS).mappings()]
