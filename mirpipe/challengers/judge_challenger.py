"""Stores the verdict on a challenger, so that the dashboard can show it."""

from sqlalchemy import Connection

from mirpipe.challengers.compare_revisions import RevisionComparison
from mirpipe.challengers.comparison_sentences import comparison_sentences
from mirpipe.db.engine import engine
from mirpipe.db.named_locks import hold_lock
from mirpipe.db.store import revision_comparisons


def store_verdict(connection: Connection, comparison: RevisionComparison) -> None:
    """Store the verdict if the new revision waits to replace the old one, which is active."""
    if revision_comparisons.is_challenge(comparison.old, comparison.new):
        revision_comparisons.write(
            connection,
            comparison.old,
            comparison.new,
            verdict=comparison.verdict,
            margins=[
                f"{change.metric}={change.margin:g}"
                for change in comparison.metrics
                if change.margin is not None
            ],
            sentences=comparison_sentences(comparison),
        )


def store_verdict_alone(comparison: RevisionComparison) -> None:
    """Store the verdict as `store_verdict` does, while no report is running.

    A report stores verdicts, too, and would fail if the same row changed meanwhile.
    """
    if revision_comparisons.is_challenge(comparison.old, comparison.new):
        with hold_lock("report"), engine("app").begin() as connection:
            store_verdict(connection, comparison)
