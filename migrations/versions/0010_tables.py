"""Creates all tables, with their constraints, indexes, triggers, functions and grants.

The first revision is 0010, because it is the result of ten migrations of the development versions
that it replaces. A database that those brought to 0010 is at this revision already. The roles
mirpipe_app and mirpipe_read must exist: `mirpipe.db.migrate` creates them. The SQL is plain because
Alembic has no other form for partitions, triggers on statements, storage and grants. Views are in
migrations/views/.
"""

from pathlib import Path

from alembic import op

revision = "0010"
down_revision = None


def upgrade() -> None:
    op.execute(Path(__file__).with_suffix(".sql").read_text())


def downgrade() -> None:
    """Do nothing: `mirpipe db downgrade base` removes the schema, see mirpipe.db.remove_schema."""
