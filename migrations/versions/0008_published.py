"""The published tables, a row a printed line."""

from pathlib import Path

from alembic import op

from migrations.views import restore

revision = "0008"
down_revision = "0007"

TABLES = (
    "published_comparison",
    "published_interval",
    "published_claim",
    "published_change",
    "published_summary",
    "published_generation",
    "published_retrieval",
)


def upgrade() -> None:
    op.execute(Path(__file__).with_suffix(".sql").read_text())


def downgrade() -> None:
    restore(down_revision)
    for table in TABLES:
        op.execute(f"DROP TABLE mirpipe.{table}")
