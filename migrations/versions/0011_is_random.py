"""Adds a column that records whether a plug-in has random weights."""

from pathlib import Path

from alembic import op

revision = "0011"
down_revision = "0010"

TABLES = ("encoder", "metric", "captioner", "generator")


def upgrade() -> None:
    op.execute(Path(__file__).with_suffix(".sql").read_text())


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"ALTER TABLE mirpipe.{table} DROP COLUMN is_random")
