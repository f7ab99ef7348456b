"""Encoder agreement: how similar the match lists of every two encoders are."""

from dataclasses import dataclass

from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_rows


@dataclass(frozen=True)
class EncoderAgreement:
    """Agreement between two encoders on the same targets. Each pair has one row per order."""

    encoder: str
    """Name of the first encoder."""
    other: str
    """Name of the second encoder."""
    rbo: float
    """Mean rank-biased overlap of the 50 nearest references per target (p = 0.9), 0 to 1."""
    top1: float
    """Share of targets with the same best match, 0 to 1."""
    n: int
    """Number of targets with matches by both encoders."""
    licence_weights: str
    """Licences of the weights of both encoders."""
    random: bool
    """Whether one of the encoders has random weights."""


_ENCODER_AGREEMENTS = text("""
    SELECT encoder, other, rbo, top1, n, licence_weights, random
    FROM mirpipe.v_agreement ORDER BY encoder, other
""")


def encoder_agreements() -> list[EncoderAgreement]:
    """Return the agreement between every two encoders in the latest run, in both orders."""
    return read_rows(EncoderAgreement, _ENCODER_AGREEMENTS)
