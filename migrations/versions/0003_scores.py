"""Scores of track metrics: what is missing, what readers see, and whose numbers they are."""

from pathlib import Path

from alembic import op

revision = "0003"
down_revision = "0002"

VIEWS = (
    "v_aesthetics",
    "v_track_score",
    "v_failure",
    "v_pending",
    "v_change",
    "v_retrieval_summary",
    "v_retrieval",
    "v_library",
    "v_encoder",
    "pending_track_score",
    "pending_pair",
    "pending_melody",
    "pending_embedding",
    "top_neighbour",
    "shown_metric",
)


def upgrade() -> None:
    op.execute(Path(__file__).with_name("0003_scores.sql").read_text())


def downgrade() -> None:
    """Views that have more columns than before can only be made anew: all of them, as 0002 does."""
    for view in VIEWS:
        op.execute(f"DROP VIEW mirpipe.{view}")
    op.execute("ALTER TABLE mirpipe.track_score DROP COLUMN batch_id")
    op.execute("DROP TABLE mirpipe.score_batch")
    op.execute("ALTER TABLE mirpipe.run_summary DROP COLUMN metric_id")
    op.execute(Path(__file__).with_name("0002_views.sql").read_text())
