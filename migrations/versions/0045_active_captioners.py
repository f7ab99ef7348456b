"""Stores which revision of each captioner is active."""

from pathlib import Path

from alembic import op

revision = "0045"
down_revision = "0044"


def upgrade() -> None:
    op.execute(Path(__file__).with_suffix(".sql").read_text())


def downgrade() -> None:
    op.execute(Path(__file__).with_suffix(".downgrade.sql").read_text())
