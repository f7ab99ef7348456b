"""States when the rankings of the latest run were measured, and on which targets."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from mirpipe.db.queries.read_rows import read_rows

_MEASUREMENT = text("""
    SELECT m.run_id, m.finished_at AS measured_at,
        r.rankings_library_digest IS DISTINCT FROM m.rankings_library_digest AS is_outdated,
        CASE WHEN r.ranked_targets < t.targets_n THEN r.ranked_targets END AS ranked_n, t.targets_n
    FROM mirpipe.run r JOIN mirpipe.run m ON m.run_id = coalesce(r.rankings_run_id, r.run_id)
    CROSS JOIN LATERAL (SELECT CAST(r.library ->> 'target ok' AS integer) AS targets_n) t
    WHERE r.run_id = (SELECT max(run_id) FROM mirpipe.run)
""")
_RANKINGS = "Rankings (P@k, MRR, mAP, hubs, CSLS, fusion, agreement)"


@dataclass(frozen=True)
class RankingMeasurement:
    """When the rankings of the latest run were measured, and on which targets."""

    run_id: int
    """Run that measured them."""
    measured_at: datetime
    is_outdated: bool
    """Whether the tracks, vectors or labels have changed since then."""
    ranked_n: int | None
    """Largest number of targets per encoder. None if all targets were ranked."""
    targets_n: int | None
    """Number of usable targets. None if there are none."""


def ranking_measurement_sentences() -> str:
    """Return what a reader must know about the rankings. Empty if they are complete and current."""
    sentences = []
    for found in read_rows(RankingMeasurement, _MEASUREMENT):
        if found.is_outdated:
            sentences.append(
                f"{_RANKINGS} are those of run {found.run_id}, measured on "
                f"{found.measured_at:%Y-%m-%d at %H:%M} UTC. The library has changed since then. "
                "They are measured again when the time in MIRPIPE_RANKINGS_HOURS has passed, or "
                "by `mirpipe report --rankings`."
            )
        if found.ranked_n is not None:
            sentences.append(
                f"{_RANKINGS} were measured on at most {found.ranked_n:,} of {found.targets_n:,} "
                "targets: those with the lowest content hashes, which is a random sample "
                "(MIRPIPE_RANKED_TARGETS)."
            )
    return " ".join(sentences)
