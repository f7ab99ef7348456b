"""The active and configured revisions of each encoder, and how many tracks are embedded."""

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
    """Whether the revision is configured: the encoder is in the settings, and this is the revision
    that new tracks are embedded by."""
    serving: bool
    """Whether the revision is active: the results that are shown come from its vectors. While a new
    revision is not complete or waits, the configured and the active revision differ."""
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


@dataclass(frozen=True)
class ActiveEncoder:
    """The active revision of an encoder."""

    encoder: str
    licence_weights: str
    """Licence of the encoder's weights. Empty if it is not stated."""
    random: bool
    """Whether the weights are random. Its matches are then not meaningful for music."""


_ACTIVE_ENCODERS = text("""
    SELECT e.name AS encoder, coalesce(e.spec ->> 'licence_weights', '') AS licence_weights,
        coalesce(e.is_random, false) AS random
    FROM mirpipe.encoder e JOIN mirpipe.serving_revision s USING (encoder_id)
    ORDER BY array_position(CAST(:encoder_order AS text[]), e.name), e.name, e.revision
""")


@dataclass(frozen=True)
class EmbeddedTracks:
    """How many of the usable tracks with audio have vectors."""

    embedded: int
    """Number of tracks with a vector by the configured encoder that has the fewest."""
    usable: int


_EMBEDDED_TRACKS = text("""
    SELECT coalesce(min(embedded), 0) AS embedded,
        (SELECT count(*) FROM mirpipe.track WHERE state = 'ok' AND has_audio) AS usable
    FROM (
        SELECT count(t.track_id) AS embedded
        FROM mirpipe.encoder e
        LEFT JOIN mirpipe.embedding v ON v.encoder_id = e.encoder_id
        LEFT JOIN mirpipe.track t ON t.track_id = v.track_id
            AND t.state = 'ok' AND t.has_audio
        WHERE e.wanted GROUP BY e.encoder_id) by_encoder
""")


def encoder_revisions() -> list[EncoderRevision]:
    """Return the active and configured revisions, with encoders in the order of the settings."""
    return read_rows(EncoderRevision, _ENCODER_REVISIONS, encoder_order=settings().encoders)


def active_encoders() -> list[ActiveEncoder]:
    """Return the active revisions in the order of the settings, without counting any vectors."""
    return read_rows(ActiveEncoder, _ACTIVE_ENCODERS, encoder_order=settings().encoders)


def embedded_tracks() -> EmbeddedTracks:
    """Return how many usable tracks there are, and how many of them are embedded."""
    (row,) = read_rows(EmbeddedTracks, _EMBEDDED_TRACKS)
    return row
