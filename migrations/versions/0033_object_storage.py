"""Stores the ETag of files that are objects in S3."""

from alembic import op

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    op.execute("ALTER TABLE mirpipe.track_file ADD etag text")
    op.execute(
        "COMMENT ON COLUMN mirpipe.track_file.etag IS 'ETag of an object in S3 when it was last "
        "read. With an unchanged ETag and size, it is not read again. NULL for a local file.'"
    )
    op.execute(
        "COMMENT ON COLUMN mirpipe.track_file.path IS 'Absolute path, stored as the bytes that the "
        "file system returned, or the address s3://BUCKET/KEY.'"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE mirpipe.track_file DROP etag")
    op.execute(
        "COMMENT ON COLUMN mirpipe.track_file.path IS 'Absolute path, stored as the bytes that the "
        "file system returned.'"
    )
