"""Stores how each track becomes mono, and findings about its audio.

Files that were rejected because they could not be read completely are read again by the next
ingest, because many of them can be used now.
"""

from pathlib import Path

from alembic import op

revision = "0025"
down_revision = "0023"


def upgrade() -> None:
    op.execute(Path(__file__).with_suffix(".sql").read_text())


def downgrade() -> None:
    op.execute("DROP TABLE mirpipe.finding, mirpipe.track_audio")
