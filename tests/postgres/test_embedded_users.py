"""The embedded server when mirpipe runs as root or as an unprivileged user."""

import os
import pwd
import shutil
import stat
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psutil
import psycopg2
import pytest

from mirpipe.db.embedded_server_roles import embedded_server
from mirpipe.errors import DatabaseError
from mirpipe.postgres import (
    copy_programs,
    create_cluster,
    embedded,
    installed_programs,
    server_files,
)
from mirpipe.postgres.embedded import EmbeddedPostgres
from mirpipe.postgres.os_account import SHARED_FOLDER, Account
from mirpipe.settings import PROJECT

pytestmark = pytest.mark.database

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can run Postgres as another user")


@pytest.fixture
def shared(short_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a folder that is used instead of /var/lib/mirpipe."""
    folder = short_folder / "shared"
    monkeypatch.setattr(copy_programs, "SHARED_FOLDER", folder)
    monkeypatch.setattr(server_files, "SHARED_FOLDER", folder)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def closed(short_folder: Path) -> Iterator[Path]:
    """Return a folder that only root can enter."""
    folder = short_folder / "closed"
    folder.mkdir(mode=0o700)
    yield folder
    shutil.rmtree(folder)


@as_root
def test_root_runs_the_server_as_another_user(server: EmbeddedPostgres) -> None:
    server.up()
    pid = server.status().pid
    assert pid
    assert psutil.Process(pid).uids().real == server.data.stat().st_uid != 0
    assert server.cluster_folder == server.folder


@pytest.mark.slow
@as_root
def test_if_the_home_is_in_a_closed_folder_the_cluster_is_stored_elsewhere(
    closed: Path, shared: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    server = embedded_server(closed / "home")
    server.up()
    try:
        with closing(psycopg2.connect(server.url("reader", driver="postgresql"))) as connection:
            assert connection.info.user == "mirpipe_read"
        assert server.cluster_folder.parent == shared / "clusters"
        message = capfd.readouterr().err
        assert message.count(f"its data is stored in {server.cluster_folder}\n") == 1
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700

        status = server.status()
        closed.chmod(0o755)  # The cluster is still found after the folder becomes accessible.
        again = embedded_server(closed / "home")
        again.up()
        assert again.status() == status
        assert capfd.readouterr().err == ""
    finally:
        server.down()


@pytest.mark.slow
@as_root
def test_a_home_that_is_deleted_and_created_again_gets_a_new_cluster(
    closed: Path, shared: Path
) -> None:
    server = embedded_server(closed / "home")
    server.up()
    server.down()
    old_cluster = server.cluster_folder
    shutil.rmtree(closed / "home")
    server.up()
    try:
        assert old_cluster.parent == server.cluster_folder.parent == shared / "clusters"
        assert server.cluster_folder != old_cluster
    finally:
        server.down()


@as_root
def test_make_clean_deletes_only_the_clusters_of_homes_in_the_checkout(
    closed: Path,
) -> None:
    (closed / ".venv/bin").mkdir(parents=True)
    (closed / ".venv/bin/mirpipe").symlink_to(Path(sys.executable).with_name("mirpipe"))
    shutil.copy(PROJECT / "Makefile", closed)
    clusters = []
    for home in (closed / "var/demo", closed / "other"):
        server = embedded_server(home)
        server.folder.mkdir(parents=True)
        (server.folder / "pgpass").write_text(f"{home} and its passwords")
        clusters.append(server.cluster_folder)
        (server.cluster_folder / "data").mkdir(parents=True)
    deleted, kept = clusters
    try:
        assert deleted.parent == kept.parent == SHARED_FOLDER / "clusters"
        environment = os.environ | {"MIRPIPE_HOME": str(closed / "other")}
        subprocess.run(["make", "clean"], cwd=closed, env=environment, check=True)
        assert not deleted.exists()
        assert not (closed / "var").exists()
        assert (kept / "data").exists()
    finally:
        for cluster in clusters:
            shutil.rmtree(cluster, ignore_errors=True)


@pytest.mark.slow
@as_root
def test_programs_in_a_closed_folder_are_copied_once(
    closed: Path,
    shared: Path,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    package = installed_programs.programs_folder().parent.parent
    for part in (package, package.with_name(f"{package.name}.libs")):
        shutil.copytree(part, closed / part.name)
    programs = closed / package.name / "pginstall" / "bin"
    monkeypatch.setattr(copy_programs, "programs_folder", lambda: programs)
    (shared / "postgres.new-killed").mkdir(parents=True)

    server = embedded_server(home)
    server.up()
    server.down()
    server.up()

    pid = server.status().pid
    assert pid
    copy = shared / f"postgres-{installed_programs.wheel_version()}"
    assert Path(psutil.Process(pid).exe()).is_relative_to(copy)
    assert sorted(path.name for path in shared.iterdir()) == [copy.name, "postgres.lock"]
    assert capfd.readouterr().err.count("\n") == 1
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    with closing(server.connect("mirpipe")) as connection, connection.cursor() as sql:
        sql.execute("SELECT '[1,2]'::vector <-> '[1,2]'")
        assert sql.fetchone() == (0.0,)


@as_root
def test_a_cluster_that_cannot_be_reached_is_not_replaced_by_an_empty_one(
    server: EmbeddedPostgres,
) -> None:
    home = server.folder.parent
    mode = stat.S_IMODE(home.stat().st_mode)
    home.chmod(0o700)
    try:
        with pytest.raises(DatabaseError, match=r"cannot reach .*chmod o\+x"):
            server.up()
    finally:
        home.chmod(mode)
    server.up()


@as_root
def test_root_runs_the_cluster_of_a_user_as_that_user(server: EmbeddedPostgres) -> None:
    nobody = pwd.getpwnam("nobody")
    owner = server.data.stat()
    names = ("data", "log", "socket")
    chown(server.cluster_folder, names, nobody.pw_uid, nobody.pw_gid)
    try:
        server.up()
        pid = server.status().pid
        assert pid
        assert psutil.Process(pid).uids().real == nobody.pw_uid
        server.down()
    finally:
        chown(server.cluster_folder, names, owner.st_uid, owner.st_gid)


@pytest.mark.slow
def test_an_unprivileged_user_has_all_files_in_the_home(short_folder: Path) -> None:
    home = short_folder / "unprivileged"
    home.mkdir(mode=0o700)

    def start_and_stop() -> None:
        server = embedded_server(home)
        try:
            server.up()
            server.down()
            server.up()
            pid = server.status().pid
            assert pid
            assert psutil.Process(pid).uids().real == os.getuid()
            assert server.cluster_folder == home / "postgres"
            with closing(psycopg2.connect(server.url("app", driver="postgresql"))) as connection:
                assert connection.info.user == "mirpipe_app"
        finally:
            server.down()

    try:
        run_without_privileges(start_and_stop, home)
    finally:
        shutil.rmtree(home)


@as_root
def test_the_error_for_the_cluster_of_another_user_names_the_setting(
    server: EmbeddedPostgres,
) -> None:
    def require_refused() -> None:
        for attempt in (server.status, server.up, server.down):
            with pytest.raises(DatabaseError, match="MIRPIPE_HOME"):
                attempt()

    run_without_privileges(require_refused)


def chown(folder: Path, names: tuple[str, ...], uid: int, gid: int) -> None:
    for name in names:
        subprocess.run(["chown", "-R", f"{uid}:{gid}", folder / name], check=True)


def run_without_privileges(function: Callable[[], None], home: Path | None = None) -> None:
    """Call the function in a child process that runs as the user nobody, the owner of `home`.

    If the tests do not run as root, the function is called in this process.
    """
    if os.geteuid() != 0:
        function()
        return
    nobody = pwd.getpwnam("nobody")
    account = Account("nobody", nobody.pw_uid, nobody.pw_gid)
    programs = copy_programs.programs_folder_for(account)
    version = installed_programs.wheel_version()
    if home:
        os.chown(home, nobody.pw_uid, nobody.pw_gid)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.setgroups([])
            os.setgid(nobody.pw_gid)
            os.setuid(nobody.pw_uid)
            # The user nobody may be unable to read the installed packages.
            copy_programs.programs_folder = lambda: programs
            create_cluster.wheel_version = lambda: version
            embedded.wheel_version = lambda: version
            function()
            status = 0
        except BaseException:  # noqa: BLE001 - The child must print the error and end here.
            traceback.print_exc()
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
