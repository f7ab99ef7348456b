"""Rankings with labels, hubness, re-ranking, fusion, and sets of clips."""

from pathlib import Path

from alembic import op

from migrations.views import restore

revision = "0007"
down_revision = "0006"

TABLES = (
    "run_set_distance",
    "run_answer",
    "run_csls",
    "run_agreement",
    "run_hub",
    "run_hubness",
    "run_ranking",
)


def upgrade() -> None:
    op.execute(Path(__file__).with_suffix(".sql").read_text())


def downgrade() -> None:
    restore(down_revision)
    for table in TABLES:
        op.execute(f"DROP TABLE mirpipe.{table}")
