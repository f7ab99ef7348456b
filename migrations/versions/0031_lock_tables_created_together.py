"""Accepts every error of a process whose lock table another process creates at the same time."""

from pathlib import Path

from alembic import op

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    op.execute(Path(__file__).with_suffix(".sql").read_text())


def downgrade() -> None:
    """Keep the function: it also fits the schema of revision 0030."""
