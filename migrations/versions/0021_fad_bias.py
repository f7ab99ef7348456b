"""Stores the bias of FAD∞ at the number of clips of each set."""

from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.execute(
        "ALTER TABLE mirpipe.run_set_distance "
        "ADD bias double precision, ADD bias_high double precision"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE mirpipe.run_set_distance DROP bias, DROP bias_high")
