"""Hubness of each encoder, and the hubs: the references that match the most queries."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_rows
from mirpipe.db.queries.track_names import with_distinct_titles


@dataclass(frozen=True)
class Hubness:
    """How unevenly the references occur among the first k matches of all queries."""

    encoder: str
    queries: str
    """Kind of queries: targets or references."""
    rerank: str
    """Ranking method: cosine or csls."""
    k: int
    """Number of matches that are counted per query."""
    skewness: float | None
    """Skewness of the number of lists that contain a reference. None if all counts are equal."""
    largest: int
    """Number of lists of k matches that contain the most frequent reference."""
    largest_reference: str
    """Title of the most frequent reference."""
    largest_reference_id: int
    never_retrieved_share: float
    """Share of references that are not in any list of k matches, 0 to 1."""
    n: int
    """Number of queries."""
    references_n: int
    """Number of references that were ranked."""
    licence_weights: str
    """Licence of the encoder's weights."""
    random: bool
    """Whether the encoder has random weights."""
    run_id: int
    finished_at: datetime
    """Time at which the run was published, with its time zone."""


@dataclass(frozen=True)
class Hub:
    """A reference that is among the first k matches of many queries."""

    encoder: str
    queries: str
    """Kind of queries: targets or references."""
    rerank: str
    """Ranking method: cosine or csls."""
    k: int
    """Number of matches that are counted per query."""
    rank: int
    """Rank among the hubs. Rank 1 is the most frequent reference."""
    reference: str
    """Title of the reference."""
    reference_id: int
    retrieved_n: int
    """Number of queries that have the reference among their first k matches."""
    share: float
    """Share of queries that have the reference among their first k matches, 0 to 1."""
    n: int
    """Number of queries."""
    licence_weights: str
    """Licence of the encoder's weights."""
    random: bool
    """Whether the encoder has random weights."""


_HUBNESS = """
    SELECT encoder, queries, rerank, k, skewness, largest, largest_reference,
        largest_reference_id,
        never_retrieved_share, n, references_n, licence_weights, random, run_id, finished_at
    FROM mirpipe.{view} ORDER BY run_id, queries DESC, encoder, k, rerank
"""
_HUBS = text("""
    SELECT encoder, queries, rerank, k, rank, reference, reference_id, retrieved_n, share, n,
        licence_weights, random
    FROM mirpipe.v_hubs ORDER BY queries DESC, encoder, k, rerank, rank
""")


def hubness(*, history: bool = False) -> list[Hubness]:
    """Return the hubness for the latest run, or for every run, oldest first."""
    view = "v_hubness_history" if history else "v_hubness"
    rows = read_rows(Hubness, text(_HUBNESS.format(view=view)))
    return with_distinct_titles(rows, largest_reference="largest_reference_id")


def hubs() -> list[Hub]:
    """Return the hubs of the latest run, most frequent first per encoder, k and method."""
    return with_distinct_titles(read_rows(Hub, _HUBS), reference="reference_id")
