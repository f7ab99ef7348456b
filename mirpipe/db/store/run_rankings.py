"""Stores which run measured the rankings of a run, and lets a run take over earlier rankings."""

from dataclasses import dataclass

from sqlalchemy import Connection, text

from mirpipe.db.row_hash_sum import row_hash_sum

_LIBRARY = (
    "SELECT track_id, collection, content_sha256, labels FROM mirpipe.track WHERE state = 'ok'",
    # A revision gives a track the same vector each time, so it is enough to compare which tracks
    # have one. The ids are hashed as numbers, because this is the longest table.
    """
    SELECT encoder_id, count(*), sum(hashint8extended(track_id, 0)) AS tracks
    FROM mirpipe.embedding JOIN mirpipe.serving_revision USING (encoder_id)
    JOIN mirpipe.track USING (track_id) WHERE state = 'ok' GROUP BY encoder_id
    """,
    "SELECT track_id, other_id, relation FROM mirpipe.v_same_recording",
)
_METHOD = (
    "SELECT e.name, e.revision FROM mirpipe.serving_revision JOIN mirpipe.encoder e "
    "USING (encoder_id)",
)
_INPUTS = text(f"""
    SELECT encode(sha256(convert_to(concat_ws('|',
            {", ".join(row_hash_sum(query) for query in _LIBRARY)}), 'UTF8')), 'hex') AS library,
        encode(sha256(convert_to(concat_ws('|', CAST(:method AS text),
            {", ".join(row_hash_sum(query) for query in _METHOD)}), 'UTF8')), 'hex') AS method
""")
_LATEST = text("""
    SELECT r.run_id, m.run_id AS measured_by, m.rankings_library_digest AS library,
        m.rankings_method_digest AS method,
        extract(epoch FROM clock_timestamp() - m.finished_at) / 3600 AS hours
    FROM mirpipe.run r JOIN mirpipe.run m ON m.run_id = r.rankings_run_id
    WHERE r.run_id = (SELECT max(run_id) FROM mirpipe.run)
""")
_SET = text("""
    UPDATE mirpipe.run SET rankings_run_id = :measured_by, rankings_library_digest = :library,
        rankings_method_digest = :method
    WHERE run_id = :run_id
""")
COPIED = {
    "run_ranking": "encoder_id, queries, label, metric, rerank, n, left_out_n, mean, low, high, "
    "interval_reason, filter, filtered_n, same_recording_n",
    "run_hubness": "encoder_id, queries, rerank, k, skewness, largest, largest_reference_id, "
    "never_retrieved_share, n, references_n",
    "run_hub": "encoder_id, queries, rerank, k, rank, reference_id, retrieved_n",
    "run_agreement": "encoder_id, other_id, rbo, top1, n",
    "run_csls": "encoder_id, kept, neighbourhood, base_n, targets_n, references_n, is_sample, "
    "top1_equal, top10_overlap, base_targets_n, base_top1_equal, base_top10_overlap",
}
"""Columns of each table with results about rankings. Every run has its own rows."""
_MOVE_MATCHES = text("""
    UPDATE mirpipe.run_answer SET run_id = :run_id, relation = NULL WHERE run_id = :from_run
""")


@dataclass(frozen=True)
class RankingInputs:
    """Hashes of what rankings depend on."""

    library: str
    """SHA-256 (hex) of the tracks, labels, vectors and same recordings."""
    method: str
    """SHA-256 (hex) of the encoders, methods and settings."""


@dataclass(frozen=True)
class LatestRankings:
    """The rankings of the latest run."""

    run_id: int
    """The latest run."""
    measured_by: int
    """Run that measured them: the latest run or an earlier one."""
    inputs: RankingInputs
    """What they were measured on."""
    hours: float
    """Time since they were measured."""


def ranking_inputs(connection: Connection, method: str) -> RankingInputs:
    """Return what rankings depend on now. `method` names the methods and their settings."""
    row = connection.execute(_INPUTS, {"method": method}).one()
    return RankingInputs(row.library, row.method)


def latest_rankings(connection: Connection) -> LatestRankings | None:
    """Return the rankings of the latest run.

    Returns None if there is no run, or if it is too old to know what its rankings depend on.
    """
    row = connection.execute(_LATEST).one_or_none()
    if row is None:
        return None
    inputs = RankingInputs(row.library, row.method)
    return LatestRankings(row.run_id, row.measured_by, inputs, float(row.hours))


def record_measurement(
    connection: Connection, run_id: int, inputs: RankingInputs, *, measured_by: int
) -> None:
    """Store which run measured the rankings of a run, and what they depend on at this run."""
    connection.execute(
        _SET,
        {
            "run_id": run_id,
            "measured_by": measured_by,
            "library": inputs.library,
            "method": inputs.method,
        },
    )


def take_over_rankings(connection: Connection, run_id: int, *, from_run: int) -> None:
    """Copy the results about rankings of the latest run `from_run` to the new run.

    Matches by CSLS and fusion are moved, because they are kept only for the latest run. They are no
    longer marked as same recordings.
    """
    for table, columns in COPIED.items():
        connection.execute(
            text(
                f"INSERT INTO mirpipe.{table} (run_id, {columns}) "
                f"SELECT :run_id, {columns} FROM mirpipe.{table} WHERE run_id = :from_run"
            ),
            {"run_id": run_id, "from_run": from_run},
        )
    connection.execute(_MOVE_MATCHES, {"run_id": run_id, "from_run": from_run})
