"""Features, captions and generations: their tables, what is missing, and what readers see."""

import re
from pathlib import Path

from alembic import op

revision = "0004"
down_revision = "0003"

NEW = (
    "v_generation_delta",
    "v_generation_summary",
    "v_generation_score",
    "v_generation",
    "v_caption",
    "pending_generation",
    "pending_caption",
    "pending_feature",
)
REPLACED = {"pending_pair": "0002_views.sql", "v_pending": "0003_scores.sql"}
TABLES = (
    "run_generation_summary",
    "generation",
    "generation_wish",
    "generator",
    "caption",
    "captioner",
    "track_feature",
)


def upgrade() -> None:
    op.execute(_read("0004_generation.sql"))


def downgrade() -> None:
    op.execute("SET LOCAL search_path = mirpipe, public")
    for view, file in REPLACED.items():
        found = re.search(
            rf"CREATE (?:OR REPLACE )?VIEW ({view} AS.*?;)$", _read(file), re.S | re.M
        )
        assert found is not None
        op.execute(f"CREATE OR REPLACE VIEW {found[1]}")
    for view in NEW:
        op.execute(f"DROP VIEW {view}")
    for table in TABLES:
        op.execute(f"DROP TABLE {table}")


def _read(name: str) -> str:
    return Path(__file__).with_name(name).read_text()
