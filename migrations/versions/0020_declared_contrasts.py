"""Stores which comparisons were declared, and why a ranking metric has no interval."""

from pathlib import Path

from alembic import op

revision = "0020"
down_revision = "0019"

DROPS_VIEWS_ON = ("run_comparison", "published_comparison", "run_ranking")


def upgrade() -> None:
    op.execute(Path(__file__).with_suffix(".sql").read_text())


def downgrade() -> None:
    op.execute(Path(__file__).with_suffix(".downgrade.sql").read_text())
