"""Queues changes of tracks only for maintained encoders. Others catch up when wanted again.

A metric that compares vectors is now active only if its encoder is active.
"""

from pathlib import Path

from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    op.execute(Path(__file__).with_suffix(".sql").read_text())


def downgrade() -> None:
    op.execute(Path(__file__).with_suffix(".downgrade.sql").read_text())
