"""Reads, confirms and inserts runs, and computes the digest that shows whether anything changed."""

from dataclasses import dataclass

from sqlalchemy import Connection, text

from mirpipe.db.row_hash_sum import row_hash_sum

# The hashed text starts with the kinds of results that a run contains. If a new version adds a kind
# of result, add it to this text, so that the next report publishes a new run.
_DEPENDS_ON = (
    "SELECT collection, content_sha256, state, title, labels FROM mirpipe.track",
    "SELECT e.name, e.revision FROM mirpipe.serving_revision JOIN mirpipe.encoder e "
    "USING (encoder_id)",
    "SELECT name, revision FROM mirpipe.shown_metric",
    "SELECT m.encoder_id, m.track_id FROM mirpipe.background_member m "
    "JOIN mirpipe.serving_revision USING (encoder_id)",
    "SELECT n.encoder_id, n.target_id FROM mirpipe.neighbour_state n "
    "JOIN mirpipe.serving_revision USING (encoder_id)",
    "SELECT encoder_id, target_id, rank, reference_id, cosine, counted_rank FROM desired",
    "SELECT track_id, other_id, relation FROM mirpipe.v_same_recording",
    """
    SELECT m.name, p.target_id, p.reference_id, p.value, p.reason
    FROM (SELECT DISTINCT target_id, reference_id FROM desired) d
    JOIN mirpipe.pair_score p USING (target_id, reference_id)
    JOIN mirpipe.shown_metric m USING (metric_id)
    """,
    """
    SELECT d.encoder_id, d.target_id, m.name, s.value, s.reason
    FROM desired d JOIN mirpipe.shown_metric m ON m.spec ->> 'axis' IS NOT NULL
    LEFT JOIN mirpipe.track_score s ON s.metric_id = m.metric_id AND s.track_id = d.reference_id
    WHERE d.counted_rank = 1
    """,
    "SELECT generation_id, metric, value, reason FROM mirpipe.v_generation_score",
)
_STATE_DIGEST = text(f"""
    SELECT encode(sha256(convert_to(concat_ws('|', CAST(:method AS text),
        {", ".join(row_hash_sum(query) for query in _DEPENDS_ON)}), 'UTF8')), 'hex')
""")
_LATEST = text("SELECT run_id, state_digest, trigger FROM mirpipe.run ORDER BY run_id DESC LIMIT 1")
_CONFIRM = text("UPDATE mirpipe.run SET confirmed_at = clock_timestamp() WHERE run_id = :run_id")
_INSERT = text("""
    INSERT INTO mirpipe.run (trigger, state_digest, same_recording_counts, ranked_targets,
        primary_retrieval_metric, primary_generation_metric, library)
    SELECT :trigger, :digest, :same_recording_counts, CAST(:ranked_targets AS integer),
        :primary_retrieval_metric, :primary_generation_metric,
        coalesce(jsonb_object_agg(name, tracks), '{}') FROM (
        SELECT collection || ' ' || state AS name, count(*) AS tracks
        FROM mirpipe.track GROUP BY collection, state) counted
    RETURNING run_id
""")


@dataclass(frozen=True)
class LatestRun:
    """The run that was published last."""

    run_id: int
    state_digest: str
    trigger: str
    """What started the report: the id of a DAG run, or "command line"."""


def state_digest(connection: Connection, method: str) -> str:
    """Return the SHA-256 (hex) of everything that a run depends on.

    `method` names the statistical methods and their settings. `shown_matches.prepare_matches` must
    be called first in the same transaction.
    """
    return str(connection.execute(_STATE_DIGEST, {"method": method}).scalar_one())


def latest_run(connection: Connection) -> LatestRun | None:
    """Return the latest run, or None if there is no run."""
    row = connection.execute(_LATEST).one_or_none()
    return None if row is None else LatestRun(row.run_id, row.state_digest, row.trigger)


def confirm_run(connection: Connection, run_id: int) -> None:
    """Record that this run is still up to date at the current time."""
    connection.execute(_CONFIRM, {"run_id": run_id})


def insert_run(
    connection: Connection,
    *,
    trigger: str,
    digest: str,
    same_recording_counts: bool,
    ranked_targets: int | None,
    primary_retrieval_metric: str,
    primary_generation_metric: str,
) -> int:
    """Insert a run with the current track counts, and return its id."""
    values = {
        "trigger": trigger,
        "digest": digest,
        "same_recording_counts": same_recording_counts,
        "ranked_targets": ranked_targets,
        "primary_retrieval_metric": primary_retrieval_metric,
        "primary_generation_metric": primary_generation_metric,
    }
    return int(connection.execute(_INSERT, values).scalar_one())
