"""How many matches of the latest run are the same recording as their target, as a sentence."""

from dataclasses import dataclass

from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_rows


@dataclass(frozen=True)
class SameRecordings:
    """The shown matches of all encoders that are the same recording as their target."""

    matches_n: int
    """Number of pairs of a target and a match."""
    targets_n: int
    """Number of targets that have such a match."""
    counts: bool
    """Whether these matches count in P@k, MRR, mAP and all averages over matches of the run."""


_SAME_RECORDINGS = text("""
    SELECT count(DISTINCT (target_id, reference_id)) AS matches_n,
        count(DISTINCT target_id) AS targets_n,
        coalesce((SELECT same_recording_counts FROM mirpipe.run ORDER BY run_id DESC LIMIT 1),
            false) AS counts
    FROM mirpipe.served_neighbour WHERE to_run IS NULL AND relation IS NOT NULL
""")


def same_recordings() -> SameRecordings:
    """Return how many matches of the latest run are the same recording as their target."""
    return read_rows(SameRecordings, _SAME_RECORDINGS)[0]


def same_recording_sentence(found: SameRecordings) -> str:
    """Return a sentence which says how many matches are left out, or an empty text if none are."""
    if not found.matches_n:
        return ""
    if found.matches_n == 1:
        start, verb = "1 match is the same recording as its target", "is"
    else:
        targets = "1 target" if found.targets_n == 1 else f"{found.targets_n:,} targets"
        start = f"{found.matches_n:,} matches are the same recording as their target ({targets})"
        verb = "are"
    numbers = "P@k, MRR, mAP and all averages over matches"
    if found.counts:
        return (
            f"{start} and {verb} marked, but not left out of {numbers} "
            "(MIRPIPE_SAME_RECORDING_COUNTS)."
        )
    return f"{start} and {verb} marked and left out of {numbers}."


def relation_name(relation: str | None) -> str:
    """Return the words for the relation of a match to its target. Empty for most matches."""
    return (relation or "").replace("_", " ")
