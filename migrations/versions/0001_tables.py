"""The tables of the main job: library, vectors, neighbours, scores, runs, ledger.

Plain SQL, because half of it (partitions, statement triggers, storage, grants) has no other form.
The roles mirpipe_app and mirpipe_read exist already: `mirpipe.db.migrate` provisions them.
"""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute(Path(__file__).with_name("0001_tables.sql").read_text())


def downgrade() -> None:
    op.execute("DROP SCHEMA mirpipe CASCADE")
