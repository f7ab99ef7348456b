"""Intervals, paired tests, summaries by group and history."""

from pathlib import Path

from alembic import op

from migrations.views import restore

revision = "0006"
down_revision = "0005"

TABLES: tuple[str, ...] = ()


def upgrade() -> None:
    op.execute(Path(__file__).with_suffix(".sql").read_text())


def downgrade() -> None:
    restore(down_revision)
    for table in TABLES:
        op.execute(f"DROP TABLE mirpipe.{table}")
