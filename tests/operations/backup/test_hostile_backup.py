"""Backups of somebody else: files outside the folder, links, and commands in the dump."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mirpipe.db import load_dump
from mirpipe.db.store.content_digest import combined, digests
from mirpipe.errors import ConfigurationError, DatabaseError
from mirpipe.files.sha256 import sha256
from mirpipe.generation import clip_store
from mirpipe.operations.backup import back_up, restore
from mirpipe.operations.backup.backup_manifest import CONTENTS, read_manifest
from mirpipe.settings import settings
from tests.dashboard.example_library import Piece, track
from tests.support.databases import Database
from tests.support.synthetic_music import melody

pytestmark = pytest.mark.slow


@pytest.fixture
def backup(
    fresh_database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> tuple[Path, Database]:
    """Return the folder of a backup with one clip, and the database."""
    monkeypatch.setenv("MIRPIPE_CLIPS_DIR", str(tmp_path / "clips"))
    settings.cache_clear()
    clip = clip_store.store_clip(melody(0.5, 8000, seed=1), 8000)
    with fresh_database.owner.begin() as owner:
        track(owner, Piece("generated", "clip", clip.path), clip.content_sha256)
    return back_up(tmp_path / "backup").folder, fresh_database


def digest(database: Database) -> str:
    with database.reader.connect() as connection:
        return combined(digests(connection))


def change_manifest(folder: Path, **fields: object) -> None:
    manifest = folder / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | fields))


def add_file(name: str) -> Callable[[Path], None]:
    """Return a function that adds a file outside the backup to the manifest, with its hash."""

    def add(folder: Path) -> None:
        outside = folder.parent / "outside"
        outside.write_bytes(b"secret")
        named = name.format(outside=outside)
        files = read_manifest(folder).files
        change_manifest(folder, files=files | {named: sha256(outside).hex()})

    return add


def replace_by(link: Callable[[Path, Path], object], name: str) -> Callable[[Path], None]:
    """Return a function that moves a file or folder out of the backup and leaves a link to it."""

    def replace(folder: Path) -> None:
        (path,) = folder.glob(name)
        outside = folder.parent / "outside"
        path.rename(outside)
        link(outside, path)

    return replace


def hang(folder: Path) -> None:
    """Replace the clip by a named pipe, which a reader would wait for."""
    (clip,) = folder.glob("clips/*/*")
    clip.unlink()
    os.mkfifo(clip)


@pytest.mark.parametrize(
    "harm",
    [
        add_file("{outside}"),
        add_file("../outside"),
        add_file("clips/../../outside"),
        add_file("clips/ou/../../../outside"),
        add_file("clips//{outside}"),
        add_file("clips/ou/outside/../../../../outside"),
        add_file("clips/../outside"),
        add_file("manifest.json"),
        add_file("clips/ou/ou\0"),
        replace_by(os.symlink, "clips/*/*"),
        replace_by(os.symlink, "clips/*"),
        replace_by(os.symlink, "clips"),
        replace_by(os.symlink, CONTENTS),
        replace_by(os.symlink, "manifest.json"),
        replace_by(os.link, "clips/*/*"),
        replace_by(os.link, CONTENTS),
        hang,
    ],
)
def test_a_backup_that_leads_outside_its_folder_is_refused_before_anything_changes(
    backup: tuple[Path, Database], harm: Callable[[Path], None], tmp_path: Path
) -> None:
    folder, database = backup
    before = digest(database)
    shutil.rmtree(tmp_path / "clips")
    harm(folder)
    with pytest.raises(ConfigurationError, match=r"not a file of a backup|is a link or not a reg"):
        restore(folder, replace=True)
    assert digest(database) == before
    assert not (tmp_path / "clips").exists()


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"files": ["database.dump"]}, "files"),
        ({"files": {"database.dump": 1}}, "files.database.dump"),
        ({"schema_revision": None}, "schema_revision"),
    ],
)
def test_a_manifest_with_other_types_is_refused(
    backup: tuple[Path, Database], fields: dict[str, object], field: str
) -> None:
    folder, _ = backup
    change_manifest(folder, **fields)
    with pytest.raises(ConfigurationError, match=f"the field {field} is missing or has a wrong"):
        restore(folder, replace=True)


@pytest.mark.parametrize("content", ["[]", "1", '"text"', "{}"])
def test_a_manifest_of_another_format_is_refused(
    backup: tuple[Path, Database], content: str
) -> None:
    folder, _ = backup
    (folder / "manifest.json").write_text(content)
    with pytest.raises(ConfigurationError, match="a format that this version cannot read"):
        restore(folder, replace=True)


def test_a_backup_without_a_dump_is_refused(backup: tuple[Path, Database]) -> None:
    folder, _ = backup
    files = read_manifest(folder).files
    change_manifest(folder, files={name: files[name] for name in files if name != CONTENTS})
    with pytest.raises(ConfigurationError, match=f"does not name {CONTENTS}"):
        restore(folder, replace=True)


def test_a_table_of_contents_that_names_a_file_outside_is_refused(
    backup: tuple[Path, Database],
) -> None:
    """pg_restore would read that file on this machine, as the rows of a table."""
    folder, database = backup
    before = digest(database)
    content = (folder / CONTENTS).read_bytes()
    name = next((folder / "database").glob("*.dat.*")).name.partition(".")[0] + ".dat"
    assert name.encode() in content
    changed = content.replace(name.encode(), b"../out".ljust(len(name), b"x")[: len(name)])
    (folder / CONTENTS).write_bytes(changed)
    files = read_manifest(folder).files
    change_manifest(folder, files=files | {CONTENTS: sha256(folder / CONTENTS).hex()})
    with pytest.raises(ConfigurationError, match="not a file of a backup"):
        restore(folder, replace=True)
    assert digest(database) == before


def test_a_file_in_the_dump_that_the_manifest_does_not_name_is_refused(
    backup: tuple[Path, Database],
) -> None:
    folder, database = backup
    before = digest(database)
    (folder / "database" / "1.dat").symlink_to("/etc/hostname")
    with pytest.raises(ConfigurationError, match="not a file of a backup"):
        restore(folder, replace=True)
    assert digest(database) == before


def test_a_restored_clip_does_not_get_the_permissions_of_the_backup(
    backup: tuple[Path, Database], tmp_path: Path
) -> None:
    folder, _ = backup
    (clip,) = folder.glob("clips/*/*")
    clip.chmod(0o6777)
    shutil.rmtree(tmp_path / "clips")
    restore(folder, replace=True)
    (restored,) = (tmp_path / "clips").glob("*/*")
    assert restored.stat().st_mode & 0o7111 == 0
    assert restored.stat().st_mtime_ns == clip.stat().st_mtime_ns


def insert_meta_command(folder: Path, program: str) -> None:
    """Replace the SQL that creates a view in the dump by a command for psql, and its hash."""
    content = (folder / CONTENTS).read_bytes()
    start = content.index(b"CREATE VIEW mirpipe.v_map AS")
    command = f"\\! {program}\n--".encode()
    (folder / CONTENTS).write_bytes(content[:start] + command + content[start + len(command) :])
    files = read_manifest(folder).files
    change_manifest(folder, files=files | {CONTENTS: sha256(folder / CONTENTS).hex()})


@pytest.fixture
def trap(tmp_path: Path) -> tuple[Path, Path]:
    """Return a program with a short path, and the file that it creates when it is run."""
    program, sign = tmp_path / "t", tmp_path / "was-run"
    program.write_text(f"#!/bin/sh\n: > '{sign}'\n")
    program.chmod(0o755)
    return program, sign


def test_a_command_in_a_dump_is_not_run(
    backup: tuple[Path, Database], trap: tuple[Path, Path]
) -> None:
    folder, database = backup
    before = digest(database)
    program, sign = trap
    insert_meta_command(folder, str(program))
    with pytest.raises(DatabaseError, match="backslash commands are restricted"):
        restore(folder, replace=True)
    assert not sign.exists()
    assert digest(database) == before


def test_programs_that_would_run_the_command_are_refused(
    backup: tuple[Path, Database],
    trap: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A pg_restore from before August 2025 does not restrict its scripts."""
    folder, database = backup
    before = digest(database)
    program, sign = trap
    insert_meta_command(folder, str(program))
    installed = load_dump.program
    old = tmp_path / "pg_restore"
    old.write_text(
        "#!/bin/sh\n"
        f'"{installed("pg_restore")}" "$@" || exit 1\n'
        'for argument; do case "$argument" in --file=*) '
        "sed -i '/^.\\(un\\)\\?restrict /d' \"${argument#--file=}\";; esac; done\n"
    )
    old.chmod(0o755)
    monkeypatch.setattr(load_dump, "program", lambda n: str(old) if n == old.name else installed(n))
    with pytest.raises(DatabaseError, match="too old to restore a backup safely"):
        restore(folder, replace=True)
    assert not sign.exists()
    assert digest(database) == before
