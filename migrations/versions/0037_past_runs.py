"""Adds the indexes that find the matches of a past run, and the changed matches of a target."""

from alembic import op

revision = "0037"
down_revision = "0036"


def upgrade() -> None:
    op.execute(
        "CREATE INDEX served_neighbour_by_run ON mirpipe.served_neighbour "
        "USING gist (int8range(from_run, to_run))"
    )
    op.execute(
        "CREATE INDEX neighbour_change_by_target ON mirpipe.neighbour_change (target_id, run_id)"
    )


def downgrade() -> None:
    op.execute("DROP INDEX mirpipe.served_neighbour_by_run, mirpipe.neighbour_change_by_target")
