"""Stores a run's hubness and hubs. A hub is a reference that matches many queries."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from mirpipe.db.store.run_rows import insert_run_rows


@dataclass(frozen=True)
class HubnessRow:
    """A row of the table `run_hubness`: how unevenly references occur among the first k matches."""

    encoder_id: int
    queries: str
    """Name of the query set: `targets` or `references`."""
    rerank: str
    """Ranking method: `cosine` or `csls`."""
    k: int
    """Number of matches that are counted per query."""
    skewness: float | None
    """Skewness of the k-occurrence. None if all references occur equally often."""
    largest: int
    """Largest k-occurrence: the number of queries with the reference among their k matches."""
    largest_reference_id: int
    """Id of the reference with the largest k-occurrence."""
    never_retrieved_share: float
    """Share of references that are not among the first k matches of any query, 0 … 1."""
    n: int
    """Number of queries."""
    references_n: int
    """Number of references."""


@dataclass(frozen=True)
class HubRow:
    """A row of the table `run_hub`: one of the references that occur most often."""

    encoder_id: int
    queries: str
    """Name of the query set: `targets` or `references`."""
    rerank: str
    """Ranking method: `cosine` or `csls`."""
    k: int
    """Number of matches that are counted per query."""
    rank: int
    """Rank among the hubs. The hub that occurs most often has rank 1."""
    reference_id: int
    retrieved_n: int
    """Number of queries that have the reference among their first k matches."""


def insert_hubness(connection: Connection, run_id: int, rows: Sequence[HubnessRow]) -> None:
    """Store the hubness of a run."""
    insert_run_rows(connection, "run_hubness", run_id, rows)


def insert_hubs(connection: Connection, run_id: int, rows: Sequence[HubRow]) -> None:
    """Store the hubs of a run."""
    insert_run_rows(connection, "run_hub", run_id, rows)
