"""Adds a column that records since when a plug-in revision is no longer configured."""

from pathlib import Path

from alembic import op

revision = "0016"
down_revision = "0015"

TABLES = ("encoder", "metric", "captioner", "generator")


def upgrade() -> None:
    op.execute(Path(__file__).with_suffix(".sql").read_text())


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"DROP TRIGGER {table}_unwanted ON mirpipe.{table}")
        op.execute(f"ALTER TABLE mirpipe.{table} DROP COLUMN unwanted_at")
    op.execute("DROP FUNCTION mirpipe.record_unwanted")
