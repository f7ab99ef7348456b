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
    not_compared_n: int
    """Number of tracks that have not been compared with the others yet."""


_SAME_RECORDINGS = text("""
    SELECT count(DISTINCT (target_id, reference_id)) AS matches_n,
        count(DISTINCT target_id) AS targets_n,
        coalesce((SELECT same_recording_counts FROM mirpipe.run ORDER BY run_id DESC LIMIT 1),
            false) AS counts,
        (SELECT count(*) FROM mirpipe.fingerprint_change) AS not_compared_n
    FROM mirpipe.served_neighbour WHERE to_run IS NULL AND relation IS NOT NULL
""")


def same_recordings() -> SameRecordings:
    """Return how many matches of the latest run are the same recording as their target."""
    return read_rows(SameRecordings, _SAME_RECORDINGS)[0]


def same_recording_sentence(found: SameRecordings) -> str:
    """Return what is left out, and what is not compared yet. Empty if there is nothing."""
    return " ".join(filter(None, [_left_out_sentence(found), _not_compared_sentence(found)]))


def _not_compared_sentence(found: SameRecordings) -> str:
    if not found.not_compared_n:
        return ""
    tracks = "1 track has" if found.not_compared_n == 1 else f"{found.not_compared_n:,} tracks have"
    return f"{tracks} not been compared with the others yet; the next `mirpipe run` does this."


def _left_out_sentence(found: SameRecordings) -> str:
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
            f"{start}. Such matches are marked and count in {numbers} "
            "(MIRPIPE_SAME_RECORDING_COUNTS)."
        )
    return f"{start} and {verb} marked and left out of {numbers}."


def relation_name(relation: str | None) -> str:
    """Return the words for the relation of a match to its target. Empty for most matches."""
    return (relation or "").replace("_", " ")
