"""Reads the stored revisions of encoders, captioners and generators: state, licence and speed."""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, text

Kind = Literal["encoder", "captioner", "generator"]


@dataclass(frozen=True)
class StoredRevision:
    """A revision of a plug-in that is or was registered."""

    kind: Kind
    plugin_id: int
    """Key in the table encoder, captioner or generator."""
    name: str
    revision: str
    active: bool
    """Whether its results are shown."""
    configured: bool
    """Whether the settings request it."""
    random: bool
    """Whether the weights are random, so that the results are not meaningful for music."""
    checkpoint: str | None
    licence_code: str | None
    licence_weights: str | None
    dimension: int | None
    """Number of values in a vector of an encoder."""
    device: str | None
    """Device of the newest results. None if nothing was computed here."""
    seconds_per_item: float | None
    """Mean time per track, caption or clip on this device. None if nothing was computed here."""
    peak_memory_bytes: int | None
    """Largest memory of the process, or of the GPU, with this plug-in on this device, in bytes.
    None if it was not measured."""
    unsearched_n: int
    """Number of new, changed or deleted vectors that `retrieve` has not processed yet."""
    imported_n: int
    """Number of vectors that were imported from a file, so that their origin is unknown."""

    @property
    def label(self) -> str:
        """The name and the start of the revision, as in commands: `NAME@REVISION`."""
        return f"{self.name}@{self.revision[:8]}"


_COLUMNS = """
    p.is_random AS random, p.spec ->> 'checkpoint' AS checkpoint,
    p.spec ->> 'licence_code' AS licence_code, p.spec ->> 'licence_weights' AS licence_weights
"""
_REVISIONS = text(f"""
    SELECT 'encoder' AS kind, p.encoder_id AS plugin_id, p.name, p.revision,
        s.encoder_id IS NOT NULL AS active, p.wanted AS configured, {_COLUMNS}, p.dimension,
        speed.device, speed.seconds_per_item, speed.peak_memory_bytes,
        (SELECT count(*) FROM mirpipe.embedding_change c WHERE c.encoder_id = p.encoder_id)
            AS unsearched_n,
        (SELECT n.imported_n FROM mirpipe.v_encoder n
            WHERE (n.encoder, n.revision) = (p.name, p.revision)) AS imported_n
    FROM mirpipe.encoder p
    LEFT JOIN mirpipe.serving_revision s USING (encoder_id)
    LEFT JOIN LATERAL (
        SELECT b.device, sum(b.seconds) / sum(b.tracks) AS seconds_per_item,
            max(b.peak_memory_bytes) AS peak_memory_bytes
        FROM mirpipe.embedding_batch b
        WHERE b.encoder_id = p.encoder_id AND b.tracks > 0 AND NOT b.is_imported
        GROUP BY b.device ORDER BY max(b.batch_id) DESC LIMIT 1) speed ON true
    UNION ALL
    SELECT 'captioner', p.captioner_id, p.name, p.revision,
        coalesce(p.captioner_id = s.captioner_id, p.wanted), p.wanted, {_COLUMNS}, NULL,
        speed.device, speed.seconds_per_item, speed.peak_memory_bytes, 0, 0
    FROM mirpipe.captioner p
    LEFT JOIN mirpipe.serving_captioner s ON s.name = p.name
    LEFT JOIN LATERAL (
        SELECT c.device, avg(c.took_seconds) AS seconds_per_item,
            max(c.peak_memory_bytes) AS peak_memory_bytes
        FROM mirpipe.caption c
        WHERE c.captioner_id = p.captioner_id
        GROUP BY c.device ORDER BY max(c.caption_id) DESC LIMIT 1) speed ON true
    UNION ALL
    SELECT 'generator', p.generator_id, p.name, p.revision,
        coalesce(p.generator_id = s.generator_id, p.wanted), p.wanted, {_COLUMNS}, NULL,
        speed.device, speed.seconds_per_item, speed.peak_memory_bytes, 0, 0
    FROM mirpipe.generator p
    LEFT JOIN mirpipe.serving_generator s ON s.name = p.name
    LEFT JOIN LATERAL (
        SELECT g.device, avg(g.took_seconds) AS seconds_per_item,
            max(g.peak_memory_bytes) AS peak_memory_bytes
        FROM mirpipe.generation g
        WHERE g.generator_id = p.generator_id
        GROUP BY g.device ORDER BY max(g.generation_id) DESC LIMIT 1) speed ON true
    ORDER BY kind, name, active DESC, configured DESC, plugin_id DESC
""")


def stored_revisions(connection: Connection, kind: Kind | None = None) -> list[StoredRevision]:
    """Return all revisions of plug-ins of this kind, or of all three kinds, sorted by name.

    The active revision of a name comes first, then the configured one.
    """
    rows = connection.execute(_REVISIONS).mappings()
    return [StoredRevision(**row) for row in rows if kind in (None, row["kind"])]
