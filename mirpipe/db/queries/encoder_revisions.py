"""The active and configured revisions of each encoder, with checkpoint and licences."""

from dataclasses import dataclass

from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_rows
from mirpipe.settings import settings


@dataclass(frozen=True)
class EncoderRevision:
    """An encoder revision that is active, configured, or both.

    The checkpoint, the licences and the citation are empty strings if the encoder has none.
    """

    encoder: str
    revision: str
    dimension: int
    """Number of values in a vector."""
    wanted: bool
    """Whether this is the configured revision."""
    serving: bool
    """Whether this is the active revision."""
    checkpoint: str
    """Publisher's name for the weights."""
    licence_code: str
    """Licence of the encoder's code."""
    licence_weights: str
    """Licence of the encoder's weights."""
    citation: str
    """Publication that describes the encoder."""
    random: bool
    """Whether the weights are random. Its matches are then not meaningful for music."""
    coverage: float | None
    """Share of the usable tracks that have a vector, or None if there are no usable tracks."""
    imported_n: int
    """Number of vectors that were imported from a file, so that their origin is unknown."""


_ENCODER_REVISIONS = text("""
    SELECT encoder, revision, dimension, wanted, serving, coalesce(checkpoint, '') AS checkpoint,
        coalesce(licence_code, '') AS licence_code,
        coalesce(licence_weights, '') AS licence_weights,
        coalesce(citation, '') AS citation, coalesce(random, false) AS random,
        coverage, imported_n
    FROM mirpipe.v_encoder WHERE wanted OR serving
    ORDER BY array_position(CAST(:encoder_order AS text[]), encoder), encoder, serving DESC,
        revision
""")


def encoder_revisions() -> list[EncoderRevision]:
    """Return the active and configured revisions, with encoders in the order of the settings."""
    return read_rows(EncoderRevision, _ENCODER_REVISIONS, encoder_order=settings().encoders)


def challengers() -> list[EncoderRevision]:
    """Return the configured revisions that are not active although another revision is."""
    revisions = encoder_revisions()
    with_active = {revision.encoder for revision in revisions if revision.serving}
    return [each for each in revisions if each.encoder in with_active and not each.serving]
