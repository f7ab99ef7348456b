"""Stores whether a group of targets differs from the other targets."""

from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.execute(
        "ALTER TABLE mirpipe.run_group_summary ADD p double precision CHECK (p > 0 AND p <= 1), "
        "ADD p_adjusted double precision CHECK (p_adjusted >= p AND p_adjusted <= 1), "
        "ADD p_reason text DEFAULT 'not_computed', "
        "ADD CHECK ((p IS NULL) = (p_adjusted IS NULL) AND (p IS NULL) = (p_reason IS NOT NULL))"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE mirpipe.run_group_summary DROP p, DROP p_adjusted, DROP p_reason")
