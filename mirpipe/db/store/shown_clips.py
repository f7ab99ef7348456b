"""Records which clips are in the results of each run, so that a listening test can use any run.

A row of `shown_clip` is valid from one run until another, so clips that stay the same are not
written again.
"""

from sqlalchemy import Connection, text

_CURRENT = """
    SELECT w.generation_id FROM mirpipe.wanted_clip w
    WHERE w.is_shown AND w.generation_id IS NOT NULL
"""
_END_OLD = text(f"""
    WITH c AS MATERIALIZED ({_CURRENT})
    UPDATE mirpipe.shown_clip s SET to_run = :run_id
    WHERE s.to_run IS NULL
      AND NOT EXISTS (SELECT FROM c WHERE c.generation_id = s.generation_id)
""")
_INSERT_NEW = text(f"""
    INSERT INTO mirpipe.shown_clip (generation_id, from_run)
    SELECT DISTINCT c.generation_id, CAST(:run_id AS bigint)
    FROM ({_CURRENT}) c
    WHERE NOT EXISTS (SELECT FROM mirpipe.shown_clip s
        WHERE s.generation_id = c.generation_id AND s.to_run IS NULL)
    ORDER BY 1
""")


def publish_clips(connection: Connection, run_id: int) -> None:
    """Record that the current clips are in the results from this run on."""
    for statement in (_END_OLD, _INSERT_NEW):
        connection.execute(statement, {"run_id": run_id})
