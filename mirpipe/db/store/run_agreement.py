"""Stores how well the matches of two encoders agree in a run."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from mirpipe.db.store.run_rows import insert_run_rows


@dataclass(frozen=True)
class AgreementRow:
    """A row of the table `run_agreement`: how well two encoders agree on their common targets."""

    encoder_id: int
    other_id: int
    """Id of the other encoder."""
    rbo: float
    """Mean rank-biased overlap of the two encoders' lists, 0 … 1."""
    top1: float
    """Share of targets with the same best match, 0 … 1."""
    n: int
    """Number of targets."""


def insert_agreement(connection: Connection, run_id: int, rows: Sequence[AgreementRow]) -> None:
    """Store the agreement of all encoder pairs."""
    insert_run_rows(connection, "run_agreement", run_id, rows)
