"""The rows that `mirpipe prune` deletes from each table: one rule per table.

docs/operations.md states the same rules for users. The vectors of tracks have a module of their
own, `unused_vectors`, because neighbour lists depend on them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, text

BLOCK_ROWS = 10_000
"""Largest number of rows that one transaction deletes."""

Days = Mapping[str, int | None]
"""Retention times in days, by name: `unused`, `history` and `clips`. None means no limit."""


@dataclass(frozen=True)
class RetentionRule:
    """A table, and the condition of the rows that are deleted."""

    table: str
    condition: str
    """SQL condition on the table, which has the alias x. `{before}` is the end of the time."""
    days: str = "unused"
    """Name of the retention time."""


REPLACED = """
    NOT {row}.wanted AND {row}.unwanted_at < {{before}}
"""
REPLACED_ENCODER = (
    REPLACED.format(row="e")
    + """
    AND NOT EXISTS (SELECT FROM mirpipe.serving_revision s WHERE s.encoder_id = e.encoder_id)
    AND NOT EXISTS (
        SELECT FROM mirpipe.shown_metric m
        WHERE m.spec ->> 'encoder' = e.name AND m.spec ->> 'encoder_revision' = e.revision)
"""
)
"""Condition of an encoder revision, alias e, whose results no view shows any more."""
REMOVED_TRACK = "t.state = 'gone' AND t.changed_at < {before}"
"""Condition of a track, alias t, that was removed from the library."""

_OF_REPLACED_ENCODER = (
    f"x.encoder_id IN (SELECT e.encoder_id FROM mirpipe.encoder e WHERE {REPLACED_ENCODER})"
)
_OF_REPLACED_METRIC = f"""
    x.metric_id IN (
        SELECT m.metric_id FROM mirpipe.metric m WHERE {REPLACED.format(row="m")}
        AND m.metric_id NOT IN (SELECT s.metric_id FROM mirpipe.shown_metric s))
"""
_OF_PAST_RUN = """
    x.run_id < (SELECT max(n.run_id) FROM mirpipe.run n WHERE n.finished_at < {before})
"""
"""The run was replaced by a later run before the end of the retention time."""
_IS_CURRENT_REVISION = " UNION ALL ".join(
    f"SELECT r.revision FROM mirpipe.{table} r WHERE r.wanted"
    for table in ("encoder", "metric", "captioner", "generator")
)


def _of_removed_track(column: str = "track_id") -> str:
    return f"x.{column} IN (SELECT t.track_id FROM mirpipe.track t WHERE {REMOVED_TRACK})"


_WITHOUT_CAPTION = """
    NOT EXISTS (
        SELECT FROM mirpipe.caption c
        WHERE c.features_id = x.metric_id AND c.track_id = x.track_id)
"""

RULES = (
    *(
        RetentionRule(table, _OF_PAST_RUN)
        for table in ("run_hub", "run_agreement", "run_csls", "run_comparison")
    ),
    *(
        RetentionRule(table, _OF_PAST_RUN, days="history")
        for table in (
            *("run_group_summary", "run_ranking", "run_hubness", "run_set_distance"),
            "gate_verdict",
            "run_target",
        )
    ),
    RetentionRule(
        "caption_embedding",
        f"{_OF_REPLACED_ENCODER} OR x.caption_id IN (SELECT c.caption_id "
        f"FROM mirpipe.caption c JOIN mirpipe.track t USING (track_id) WHERE {REMOVED_TRACK})",
    ),
    RetentionRule(
        "excerpt_embedding",
        f"{_OF_REPLACED_ENCODER} OR x.excerpt_id IN (SELECT e.excerpt_id "
        f"FROM mirpipe.excerpt e JOIN mirpipe.track t USING (track_id) WHERE {REMOVED_TRACK})",
    ),
    # The inputs of pair scores come before the scores, so that no score becomes pending again.
    RetentionRule("melody", f"{_OF_REPLACED_METRIC} OR {_of_removed_track()}"),
    RetentionRule(
        "track_feature",
        f"({_OF_REPLACED_METRIC} OR {_of_removed_track()}) AND {_WITHOUT_CAPTION}",
    ),
    RetentionRule("track_score", f"{_OF_REPLACED_METRIC} OR {_of_removed_track()}"),
    RetentionRule(
        "pair_score",
        f"{_OF_REPLACED_METRIC} OR {_of_removed_track('target_id')} "
        f"OR {_of_removed_track('reference_id')}",
    ),
    RetentionRule("waveform", _of_removed_track()),
    RetentionRule("track_audio", _of_removed_track()),
    RetentionRule("finding", _of_removed_track()),
    # A fingerprint comes before its pairs. If the track returns, it is compared again.
    RetentionRule("fingerprint", _of_removed_track()),
    RetentionRule("same_recording", f"{_of_removed_track()} OR {_of_removed_track('other_id')}"),
    RetentionRule(
        "failure",
        f"{_of_removed_track()} OR x.revision <> '' AND x.last_seen < {{before}} "
        f"AND x.revision NOT IN ({_IS_CURRENT_REVISION})",
    ),
    RetentionRule("track_file", "x.gone_at < {before}"),
)


def count_rows(connection: Connection, rule: RetentionRule, days: Days) -> int:
    """Return the number of rows that the rule would delete."""
    condition = condition_of(rule.condition, days[rule.days])
    if condition is None:
        return 0
    query = text(f"SELECT count(*) FROM mirpipe.{rule.table} x WHERE {condition}")
    return int(connection.execute(query).scalar_one())


def delete_block(connection: Connection, rule: RetentionRule, days: Days) -> int:
    """Delete up to BLOCK_ROWS rows, and return their number. It is 0 if no row is left."""
    condition = condition_of(rule.condition, days[rule.days])
    if condition is None:
        return 0
    # A row that another transaction has changed meanwhile has another ctid, so it is kept.
    statement = text(
        f"DELETE FROM mirpipe.{rule.table} WHERE ctid = ANY(ARRAY("
        f"SELECT x.ctid FROM mirpipe.{rule.table} x WHERE {condition} LIMIT :limit))"
    )
    return connection.execute(statement, {"limit": BLOCK_ROWS}).rowcount


def condition_of(condition: str, days: int | None) -> str | None:
    """Return the condition with the end of the retention time, or None if there is no limit."""
    if days is None:
        return None
    return condition.format(before=f"now() - interval '{int(days)} days'")
