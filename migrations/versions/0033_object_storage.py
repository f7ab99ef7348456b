"""Stores the ETag of files that are objects in S3."""

from pathlib import Path

from alembic import op

revision = "0033"
down_revision = "0031"


def upgrade() -> None:
    op.execute(Path(__file__).with_suffix(".sql").read_text())


def downgrade() -> None:
    op.execute("ALTER TABLE mirpipe.track_file DROP etag")
