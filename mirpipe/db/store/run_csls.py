"""Stores how re-ranking by CSLS was computed in a run, and how accurate it is."""

from dataclasses import dataclass

from sqlalchemy import Connection

from mirpipe.db.store.run_rows import insert_run_rows


@dataclass(frozen=True)
class CslsRow:
    """A row of the table `run_csls`, with one row per encoder.

    Re-ranking is compared with a CSLS ranking of all references. In a large library, both rankings
    are computed for a sample of targets and references.
    """

    encoder_id: int
    kept: int
    """Number of references per target that are re-ranked."""
    neighbourhood: int
    """Number of nearest references that are used for the local scaling."""
    base_n: int
    """Number of references in the base, which is searched for the nearest references."""
    targets_n: int
    """Number of targets in the comparison."""
    references_n: int
    """Number of references in the comparison."""
    is_sample: bool
    """Whether the comparison uses only some of the targets or references."""
    top1_equal: float
    """Share of targets with the same best match, 0 … 1."""
    top10_overlap: float
    """Mean share of the first ten matches that both rankings have in common, 0 … 1."""
    base_targets_n: int | None = None
    """Number of targets for which the whole library was also searched for the nearest references.

    None if the base is the whole library.
    """
    base_top1_equal: float | None = None
    """Share of these targets with the same best match, 0 … 1. None if `base_targets_n` is None."""
    base_top10_overlap: float | None = None
    """Mean share of common matches among the first ten, 0 … 1. None if `base_targets_n` is None."""


def insert_csls(connection: Connection, run_id: int, row: CslsRow) -> None:
    """Store one encoder's row."""
    insert_run_rows(connection, "run_csls", run_id, [row])
