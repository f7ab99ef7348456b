"""States whether the rankings of the latest run were measured on a sample of the targets."""

from dataclasses import dataclass

from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_rows

_SAMPLE = text("""
    SELECT r.ranked_targets AS ranked_n, CAST(r.library ->> 'target ok' AS integer) AS targets_n
    FROM mirpipe.run r
    WHERE r.run_id = (SELECT max(run_id) FROM mirpipe.run)
      AND r.ranked_targets < CAST(r.library ->> 'target ok' AS integer)
""")


@dataclass(frozen=True)
class RankedTargets:
    """The sample of targets on which the rankings of the latest run were measured."""

    ranked_n: int
    """Largest number of targets per encoder in the sample."""
    targets_n: int
    """Number of usable targets."""


def ranked_targets_sentence() -> str:
    """Return how the targets of the rankings were chosen. Empty if all targets were used."""
    for sample in read_rows(RankedTargets, _SAMPLE):
        return (
            f"Rankings (P@k, MRR, mAP, hubs, CSLS, fusion, agreement) were measured on at most "
            f"{sample.ranked_n:,} of {sample.targets_n:,} targets: those with the lowest content "
            "hashes, which is a random sample (MIRPIPE_RANKED_TARGETS)."
        )
    return ""
