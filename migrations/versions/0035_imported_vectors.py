"""Marks batches of imported vectors, and queues what a revision missed before it became active."""

from pathlib import Path

from alembic import op

revision = "0035"
down_revision = "0034"


def upgrade() -> None:
    op.execute(Path(__file__).with_suffix(".sql").read_text())


def downgrade() -> None:
    op.execute(Path(__file__).with_suffix(".downgrade.sql").read_text())
