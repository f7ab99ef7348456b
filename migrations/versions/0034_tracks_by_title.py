"""Adds the index that the list of all tracks needs, which is sorted by title."""

from alembic import op

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    # A title can be longer than an entry of an index may be.
    op.execute("CREATE INDEX track_by_title ON mirpipe.track (lower(left(title, 100)), track_id)")


def downgrade() -> None:
    op.execute("DROP INDEX mirpipe.track_by_title")
