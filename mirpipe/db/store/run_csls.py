"""Stores how the re-ranking by CSLS was computed in a run, and how accurate it is."""

from dataclasses import dataclass

from sqlalchemy import Connection

from mirpipe.db.store.run_rows import insert_run_rows


@dataclass(frozen=True)
class CslsRow:
    """A row of the table `run_csls`, one per encoder.

    Re-ranking is compared with a ranking of all references by CSLS. In a large library, both are
    computed over a sample of targets and references.
    """

    encoder_id: int
    kept: int
    """Number of references per target that are re-ranked."""
    neighbourhood: int
    """Number of nearest references in the local scaling."""
    base_n: int
    """Number of references in the base, in which the nearest references were searched."""
    targets_n: int
    """Number of targets in the comparison."""
    references_n: int
    """Number of references in the comparison."""
    is_sample: bool
    """Whether the comparison uses only a part of the targets or references."""
    top1_equal: float
    """Share of targets with the same best match, 0 … 1."""
    top10_overlap: float
    """Mean share of the first ten matches that both rankings contain, 0 … 1."""
    base_targets_n: int | None = None
    """Number of targets for which the nearest references were also searched in the whole library.

    None if the base is the whole library.
    """
    base_top1_equal: float | None = None
    """Share of these targets with the same best match, 0 … 1. None if the base is the library."""
    base_top10_overlap: float | None = None
    """Mean share of the first ten matches in both, 0 … 1. None if the base is the library."""


def insert_csls(connection: Connection, run_id: int, row: CslsRow) -> None:
    """Store the row of one encoder."""
    insert_run_rows(connection, "run_csls", run_id, [row])
