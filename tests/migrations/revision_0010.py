"""Loads a database at revision 0010, created by a development version for the demo library."""

import lzma
import subprocess
from pathlib import Path

from sqlalchemy import text

from mirpipe.db.migrate import downgrade
from mirpipe.db.psql import psql_url
from mirpipe.postgres.installed_programs import programs_folder
from tests.support.databases import Database

DUMP = Path(__file__).with_name("revision_0010.sql.xz")
"""pg_dump output for the schema mirpipe, with two demo library runs and the published tables."""


def load_revision_0010(database: Database) -> None:
    """Replace the database schema with the dumped schema at revision 0010."""
    downgrade("base")
    url = psql_url(database.owner.url.render_as_string(hide_password=False))
    psql = [programs_folder() / "psql", url, "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"]
    sql = lzma.decompress(DUMP.read_bytes())
    subprocess.run([*psql, "--output=/dev/null"], input=sql, check=True, timeout=60)
    with database.owner.begin() as owner:
        owner.execute(text("INSERT INTO public.schema_version VALUES ('0010')"))
        owner.execute(text("ANALYZE"))
