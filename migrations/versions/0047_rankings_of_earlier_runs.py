"""Lets a run take over the rankings that an earlier run has measured."""

from pathlib import Path

from alembic import op

revision = "0047"
down_revision = "0046"


def upgrade() -> None:
    op.execute(Path(__file__).with_suffix(".sql").read_text())


def downgrade() -> None:
    op.execute(Path(__file__).with_suffix(".downgrade.sql").read_text())
