"""Pair metrics: what is missing, and what readers see of them."""

from pathlib import Path

from alembic import op

from migrations.views import restore

revision = "0005"
down_revision = "0004"

TABLES = ("caption_embedding",)


def upgrade() -> None:
    op.execute(Path(__file__).with_suffix(".sql").read_text())


def downgrade() -> None:
    restore(down_revision)
    for table in TABLES:
        op.execute(f"DROP TABLE mirpipe.{table}")
