"""Stores a track's genres as a set, and the tags of each file with their encoding."""

from pathlib import Path

from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    op.execute(Path(__file__).with_suffix(".sql").read_text())


def downgrade() -> None:
    op.execute(Path(__file__).with_suffix(".downgrade.sql").read_text())
