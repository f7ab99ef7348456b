"""Stores a run's matches in rankings other than by cosine: CSLS, and fusion of all encoders."""

from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, text

from mirpipe.db.store import binary_copy
from mirpipe.records import Float64, Int64

_MARK = text("""
    UPDATE mirpipe.run_answer a SET relation = s.relation FROM (
        SELECT track_id, other_id, min(relation) AS relation FROM mirpipe.v_same_recording
        GROUP BY track_id, other_id) s
    WHERE a.run_id = :run_id AND (s.track_id, s.other_id) = (a.target_id, a.reference_id)
""")
_DELETE_EARLIER = text("DELETE FROM mirpipe.run_answer WHERE run_id < :run_id")


@dataclass(frozen=True)
class Matches:
    """Rows of the table `run_answer`, as arrays of shape (n,)."""

    target_ids: Int64
    ranks: Int64
    """Ranks of the matches, starting from 1."""
    reference_ids: Int64
    scores: Float64
    """Scores that the matches are ranked by."""
    cosines: Float64 | None = None
    """Cosines of the matches. None for fusion."""
    cosine_ranks: Int64 | None = None
    """Ranks of the matches by cosine. None for fusion."""


def insert_matches(
    connection: Connection, run_id: int, method: str, encoder_id: int | None, matches: Matches
) -> None:
    """Store the matches of one ranking.

    `method` is `csls` or `fusion`. `encoder_id` is None for fusion.
    """
    n = len(matches.target_ids)
    columns = {
        "run_id": np.full(n, run_id),
        "method": [method] * n,
        "target_id": matches.target_ids,
        "rank": matches.ranks,
        "reference_id": matches.reference_ids,
        "score": matches.scores,
    }
    if encoder_id is not None:
        columns["encoder_id"] = np.full(n, encoder_id)
    if matches.cosines is not None and matches.cosine_ranks is not None:
        columns |= {"cosine": matches.cosines, "cosine_rank": matches.cosine_ranks}
    binary_copy.copy_rows(connection, "mirpipe.run_answer", list(columns), list(columns.values()))


def mark_same_recordings(connection: Connection, run_id: int) -> None:
    """Mark the matches of a run that are the same recording as their target."""
    connection.execute(_MARK, {"run_id": run_id})


def delete_matches_of_earlier_runs(connection: Connection, run_id: int) -> None:
    """Delete the matches of all earlier runs, because only those of the latest run are kept."""
    connection.execute(_DELETE_EARLIER, {"run_id": run_id})
