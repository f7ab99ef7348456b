"""Intervals, paired tests, summaries by group and history."""

from pathlib import Path

from alembic import op

from migrations.views import restore

revision = "0006"
down_revision = "0005"

TABLES = ("run_comparison", "run_group_summary")
COLUMNS = {
    "run_summary": ("low", "high", "interval_reason"),
    "run_generation_summary": ("low", "high", "targets_n", "interval_reason"),
}
FUNCTIONS = ("top_neighbour_at", "run_at")


def upgrade() -> None:
    op.execute(Path(__file__).with_suffix(".sql").read_text())


def downgrade() -> None:
    restore(down_revision)
    for function in FUNCTIONS:
        op.execute(f"DROP FUNCTION mirpipe.{function}")
    for table in TABLES:
        op.execute(f"DROP TABLE mirpipe.{table}")
    for table, columns in COLUMNS.items():
        drops = ", ".join(f"DROP {column}" for column in columns)
        op.execute(f"ALTER TABLE mirpipe.{table} {drops}")
