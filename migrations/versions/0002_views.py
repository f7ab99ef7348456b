"""Views with stable names: what SQL users, the dashboard and the stages ask."""

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"

VIEWS = (
    "v_failure",
    "v_pending",
    "v_change",
    "v_retrieval_summary",
    "v_retrieval",
    "v_library",
    "v_encoder",
    "pending_pair",
    "pending_melody",
    "pending_embedding",
    "top_neighbour",
)


def upgrade() -> None:
    op.execute(Path(__file__).with_name("0002_views.sql").read_text())


def downgrade() -> None:
    for view in VIEWS:
        op.execute(f"DROP VIEW mirpipe.{view}")
