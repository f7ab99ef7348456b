"""Waveform peaks of tracks and maps of spaces."""

from pathlib import Path

from alembic import op

from migrations.views import restore

revision = "0010"
down_revision = "0009"

TABLES = ("map_point", "map", "waveform")


def upgrade() -> None:
    op.execute(Path(__file__).with_suffix(".sql").read_text())


def downgrade() -> None:
    restore(down_revision)
    for table in TABLES:
        op.execute(f"DROP TABLE mirpipe.{table}")
