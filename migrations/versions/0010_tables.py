"""Creates all tables, with their constraints, indexes, triggers, functions and grants.

The first revision is 0010 because it replaces ten migrations from the development versions. A
database that those migrations upgraded to 0010 is already at this revision. The roles mirpipe_app
and mirpipe_read must already exist; `mirpipe.db.migrate` creates them. The migration is plain SQL
because Alembic has no operations for partitions, statement triggers, storage or grants. The views
are in migrations/views/.
"""

from pathlib import Path

from alembic import op

revision = "0010"
down_revision = None


def upgrade() -> None:
    op.execute(Path(__file__).with_suffix(".sql").read_text())


def downgrade() -> None:
    """Do nothing. `mirpipe db downgrade base` removes the schema; see mirpipe.db.remove_schema."""
