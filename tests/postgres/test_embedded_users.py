"""The embedded server as root, who must drop to another user, and as a user without privileges."""

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

from mirpipe.db.embedded_server import embedded_server
from mirpipe.errors import DatabaseError
from mirpipe.postgres import binaries, embedded
from mirpipe.postgres.embedded import EmbeddedPostgres
from mirpipe.settings import PROJECT

pytestmark = pytest.mark.database

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has a user to drop to")


@pytest.fixture
def shared(short_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Stands for /var/lib/mirpipe."""
    folder = short_folder / "shared"
    monkeypatch.setattr(binaries, "SHARED", folder)
    monkeypatch.setattr(embedded, "SHARED", folder)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def closed(short_folder: Path) -> Iterator[Path]:
    """A folder that nobody but root can enter."""
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
    assert server.place == server.folder


@pytest.mark.slow
@as_root
def test_below_a_closed_folder_roots_cluster_lies_elsewhere(
    closed: Path, shared: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    server = embedded_server(closed / "home")
    server.up()
    try:
        with closing(psycopg2.connect(server.url("reader", driver="postgresql"))) as link:
            assert link.info.user == "mirpipe_read"
        assert server.place.parent == shared / "clusters"
        said = capfd.readouterr().err
        assert said.count(f"keeping its data in {server.place}\n") == 1
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700

        made = server.status()
        closed.chmod(0o755)  # the cluster is where it was made, whatever becomes of the folder
        again = embedded_server(closed / "home")
        again.up()
        assert again.status() == made
        assert capfd.readouterr().err == ""
    finally:
        server.down()


@pytest.mark.slow
@as_root
def test_a_home_made_anew_does_not_inherit_the_old_cluster(closed: Path, shared: Path) -> None:
    server = embedded_server(closed / "home")
    server.up()
    server.down()
    old = server.place
    shutil.rmtree(closed / "home")
    server.up()
    try:
        assert old.parent == server.place.parent == shared / "clusters"
        assert server.place != old
    finally:
        server.down()


@as_root
def test_make_clean_removes_the_cluster_of_a_home_in_the_checkout_and_no_other(
    closed: Path,
) -> None:
    (closed / ".venv/bin").mkdir(parents=True)
    (closed / ".venv/bin/mirpipe").symlink_to(Path(sys.executable).with_name("mirpipe"))
    shutil.copy(PROJECT / "Makefile", closed)
    places = []
    for home in (closed / "var/demo", closed / "other"):
        server = embedded_server(home)
        server.folder.mkdir(parents=True)
        (server.folder / "pgpass").write_text(f"{home} and its passwords")
        places.append(server.place)
        (server.place / "data").mkdir(parents=True)
    lost, kept = places
    try:
        assert lost.parent == kept.parent == binaries.SHARED / "clusters"
        environment = os.environ | {"MIRPIPE_HOME": str(closed / "other")}
        subprocess.run(["make", "clean"], cwd=closed, env=environment, check=True)
        assert not lost.exists()
        assert not (closed / "var").exists()
        assert (kept / "data").exists()
    finally:
        for place in places:
            shutil.rmtree(place, ignore_errors=True)


@pytest.mark.slow
@as_root
def test_programs_below_a_closed_folder_are_copied_once(
    closed: Path,
    shared: Path,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    package = binaries.installed().parent.parent
    for part in (package, package.with_name(f"{package.name}.libs")):
        shutil.copytree(part, closed / part.name)
    programs = closed / package.name / "pginstall" / "bin"
    monkeypatch.setattr(binaries, "installed", lambda: programs)
    (shared / "postgres.new-killed").mkdir(parents=True)

    server = embedded_server(home)
    server.up()
    server.down()
    server.up()

    pid = server.status().pid
    assert pid
    copy = shared / f"postgres-{binaries.wheel_version()}"
    assert Path(psutil.Process(pid).exe()).is_relative_to(copy)
    assert sorted(path.name for path in shared.iterdir()) == [copy.name, "postgres.lock"]
    assert capfd.readouterr().err.count("\n") == 1
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    with closing(server.connect("mirpipe")) as link, link.cursor() as sql:
        sql.execute("SELECT '[1,2]'::vector <-> '[1,2]'")
        assert sql.fetchone() == (0.0,)


@as_root
def test_a_cluster_that_was_closed_in_is_not_replaced_by_an_empty_one(
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
def test_the_cluster_of_a_user_is_run_as_that_user_by_root(server: EmbeddedPostgres) -> None:
    nobody = pwd.getpwnam("nobody")
    owner = server.data.stat()
    things = ("data", "log", "socket")
    chown(server.place, things, nobody.pw_uid, nobody.pw_gid)
    try:
        server.up()
        pid = server.status().pid
        assert pid
        assert psutil.Process(pid).uids().real == nobody.pw_uid
        server.down()
    finally:
        chown(server.place, things, owner.st_uid, owner.st_gid)


@pytest.mark.slow
def test_a_user_without_privileges_has_everything_at_home(short_folder: Path) -> None:
    home = short_folder / "of-a-user"
    home.mkdir(mode=0o700)

    def live() -> None:
        server = embedded_server(home)
        try:
            server.up()
            server.down()
            server.up()
            pid = server.status().pid
            assert pid
            assert psutil.Process(pid).uids().real == os.getuid()
            assert server.place == home / "postgres"
            with closing(psycopg2.connect(server.url("app", driver="postgresql"))) as link:
                assert link.info.user == "mirpipe_app"
        finally:
            server.down()

    try:
        without_privileges(live, home)
    finally:
        shutil.rmtree(home)


@as_root
def test_the_cluster_of_another_user_is_refused_by_name(server: EmbeddedPostgres) -> None:
    def refused() -> None:
        for attempt in (server.status, server.up, server.down):
            with pytest.raises(DatabaseError, match="MIRPIPE_HOME"):
                attempt()

    without_privileges(refused)


def chown(folder: Path, names: tuple[str, ...], uid: int, gid: int) -> None:
    for name in names:
        subprocess.run(["chown", "-R", f"{uid}:{gid}", folder / name], check=True)


def without_privileges(act: Callable[[], None], home: Path | None = None) -> None:
    """Act in a child that root has turned into user nobody, and who owns `home`."""
    if os.geteuid() != 0:
        act()
        return
    nobody = pwd.getpwnam("nobody")
    account = binaries.Account("nobody", nobody.pw_uid, nobody.pw_gid)
    programs, version = binaries.runnable(account), binaries.wheel_version()
    if home:
        os.chown(home, nobody.pw_uid, nobody.pw_gid)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.setgroups([])
            os.setgid(nobody.pw_gid)
            os.setuid(nobody.pw_uid)
            binaries.installed = lambda: programs
            embedded.wheel_version = lambda: version  # nobody may not look into a closed checkout
            act()
            status = 0
        except BaseException:  # noqa: BLE001 - the child must end here, and say why
            traceback.print_exc()
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
