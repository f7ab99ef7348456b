"""The targets that have a reference among their matches in the latest run."""

from dataclasses import dataclass

from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_rows
from mirpipe.db.queries.track_names import with_distinct_titles


@dataclass(frozen=True)
class MatchedTarget:
    """A target that has the reference among its first ten matches by at least one encoder."""

    target_id: int
    target: str
    """Title of the target."""
    ranks: dict[str, int]
    """Rank of the reference, by encoder. Encoders without the reference are left out."""
    relation: str | None
    """same_recording or same_file if the target is the same recording, otherwise None."""
    targets_n: int
    """Number of all such targets, including those that the list leaves out."""


_TARGETS = text("""
    SELECT target_id, min(target) AS target, jsonb_object_agg(encoder, rank) AS ranks,
        min(relation) AS relation, count(*) OVER () AS targets_n
    FROM mirpipe.v_retrieval WHERE reference_id = :reference_id
    GROUP BY target_id ORDER BY min(rank), count(*) DESC, min(target), target_id LIMIT :limit
""")


def matched_targets(reference_id: int, *, limit: int = 50) -> list[MatchedTarget]:
    """Return the targets for which the reference is a match, best rank first."""
    rows = read_rows(MatchedTarget, _TARGETS, reference_id=reference_id, limit=limit)
    return with_distinct_titles(rows, target="target_id")
