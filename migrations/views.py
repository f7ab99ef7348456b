"""Puts every view back as an earlier migration left it, for the way down.

A view that has gained columns cannot be replaced by its former self, and others rest upon it: all
are dropped and made anew from the statements in the SQL files up to that migration.
"""

import re
from pathlib import Path

from alembic import op

FOLDER = Path(__file__).parent / "versions"
_STATEMENT = re.compile(
    r"^(?:CREATE (?:OR REPLACE )?VIEW|COMMENT ON VIEW"
    r"|COMMENT ON COLUMN (?:v_|pending_|published_)).*?;$"
    r"|^DO \$words\$.*?^END \$words\$;$",
    re.S | re.M,
)
_NAME = re.compile(r"^CREATE (?:OR REPLACE )?VIEW (\w+)", re.M)


def restore(revision: str) -> None:
    """The views as of this migration ("0004"), later ones gone; the reader may read them."""
    op.execute("SET LOCAL search_path = mirpipe, public")
    files = sorted(FOLDER.glob("*.sql"))
    names = {name for file in files for name in _NAME.findall(file.read_text())}
    op.execute(f"DROP VIEW IF EXISTS {', '.join(sorted(names))} CASCADE")
    for file in files:
        if file.name[: len(revision)] <= revision:
            for statement in _STATEMENT.findall(file.read_text()):
                op.execute(statement)
    op.execute("GRANT SELECT ON ALL TABLES IN SCHEMA mirpipe TO mirpipe_app, mirpipe_read")
