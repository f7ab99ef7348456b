"""Says of every view and column what it holds."""

from pathlib import Path

from alembic import op

from migrations.views import restore

revision = "0009"
down_revision = "0008"

TABLES: tuple[str, ...] = ()


def upgrade() -> None:
    op.execute(Path(__file__).with_suffix(".sql").read_text())


def downgrade() -> None:
    op.execute("DROP FUNCTION mirpipe.describe_encoder CASCADE")
    restore(down_revision)
    for table in TABLES:
        op.execute(f"DROP TABLE mirpipe.{table}")
