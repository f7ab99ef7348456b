"""Backup tests: a restored backup has the same content, and a killed backup changes nothing."""

import hashlib
import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from mirpipe.cli.main import app
from mirpipe.db import health, load_dump
from mirpipe.db.load_dump import remove_newer_settings
from mirpipe.db.migrate import current, downgrade, head, migrate
from mirpipe.db.postgres_programs import owner_connection, program, run
from mirpipe.db.schema_file_record import outdated_files
from mirpipe.db.store.content_digest import combined, digests
from mirpipe.errors import ConfigurationError, DatabaseError
from mirpipe.files.sha256 import sha256
from mirpipe.generation import clip_store
from mirpipe.operations.backup import Backup, back_up, restore
from mirpipe.operations.backup.backup_manifest import CONTENTS
from mirpipe.settings import settings
from tests.dashboard.example_library import Model, Piece, fill, rate, track
from tests.support.databases import Database
from tests.support.synthetic_music import melody

pytestmark = pytest.mark.slow

PIECES = (
    Piece("target", "茉莉花 🎵", labels={"genre": "folk"}),
    *(Piece("reference", f"r{n}", Path(f"/nowhere/r{n}.ogg")) for n in range(3)),
)
MODELS = (Model("one", 0.5, 0.1), Model("other", 0.4, 0.2))

_KILLED = """
import os, signal, sys
from pathlib import Path
from mirpipe.operations.backup import create, destinations
def kill(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
setattr(destinations if sys.argv[2] == "_sync" else create, sys.argv[2], kill)
create.back_up(Path(sys.argv[1]))
"""


_KILLED_RESTORE = """
import os, signal, sys
from pathlib import Path
from mirpipe.db import load_dump
from mirpipe.operations.backup import restore
def kill(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
load_dump.LARGE_TABLE_BYTES = 0
setattr(load_dump, sys.argv[2], kill)
restore(Path(sys.argv[1]), replace=True)
"""


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("MIRPIPE_CLIPS_DIR", str(tmp_path / "it's “clips”"))
    settings.cache_clear()
    return settings().clips_folder


@pytest.fixture
def filled(fresh_database: Database, store: Path) -> Database:
    """Create a library with matches, scores, and two clips whose audio is in the clips folder."""
    with fresh_database.owner.begin() as owner:
        fill(owner, PIECES, MODELS)
        rate(owner, "r1", 1.5, 2.5, 3.5, 4.5)
        for seed in (1, 2):
            clip = clip_store.store_clip(melody(0.5, 8000, seed=seed), 8000)
            track(owner, Piece("generated", f"seed {seed}", clip.path), clip.content_sha256)
    return fresh_database


def digest(database: Database) -> str:
    with database.reader.connect() as connection:
        return combined(digests(connection))


def audio(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def empty(database: Database, store: Path) -> None:
    downgrade("base")
    for path in store.rglob("*.flac"):
        path.unlink()


@pytest.fixture(params=[0, 1 << 20], ids=["large tables", "small tables"])
def _large_table_bytes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Load all tables by their own processes, or no table."""
    monkeypatch.setattr(load_dump, "LARGE_TABLE_BYTES", request.param)


@pytest.mark.usefixtures("_large_table_bytes")
def test_a_restored_backup_has_the_same_content(
    filled: Database, store: Path, tmp_path: Path
) -> None:
    before, sound = digest(filled), audio(store)
    backup = back_up(tmp_path / "backup")
    assert (backup.digest, backup.clips, backup.missing_clips) == (before, 2, [])
    empty(filled, store)
    restored = restore(tmp_path / "backup")
    assert (restored.digest, restored.clips, restored.is_compared) == (before, 2, True)
    assert digest(filled) == before
    assert audio(store) == sound
    assert current() == head()


def test_a_backup_in_one_file_can_still_be_restored(
    filled: Database, store: Path, tmp_path: Path
) -> None:
    """Versions before the first release wrote the dump to the file database.dump."""
    backup = back_up(tmp_path / "backup")
    folder, manifest = tmp_path / "backup", tmp_path / "backup" / "manifest.json"
    name, environment = owner_connection()
    dumped = [program("pg_dump"), f"--dbname={name}", "--format=custom", "--schema=mirpipe"]
    run([*dumped, f"--file={folder / 'database.dump'}"], environment)
    shutil.rmtree(folder / "database")
    fields = json.loads(manifest.read_text())
    files = {name: hash_ for name, hash_ in fields["files"].items() if name.startswith("clips/")}
    files["database.dump"] = sha256(folder / "database.dump").hex()
    manifest.write_text(json.dumps(fields | {"format": 1, "files": files}))
    empty(filled, store)
    restored = restore(folder)
    assert (restored.digest, restored.clips, restored.is_compared) == (backup.digest, 2, True)


@pytest.mark.parametrize("step", ["_load_tables", "_switch"])
def test_a_killed_restore_changes_nothing_and_can_be_repeated(
    filled: Database, tmp_path: Path, step: str
) -> None:
    backup = back_up(tmp_path / "backup")
    with filled.owner.begin() as owner:
        track(owner, Piece("reference", "more", Path("/nowhere/more.ogg")))
    before = digest(filled)
    command = [sys.executable, "-c", _KILLED_RESTORE, tmp_path / "backup", step]
    process = subprocess.run(command, check=False, capture_output=True, timeout=60)
    assert process.returncode == -signal.SIGKILL, process.stderr
    assert digest(filled) == before
    assert len(schemas(filled)) == 2
    assert restore(tmp_path / "backup", replace=True).digest == backup.digest
    assert schemas(filled) == {"mirpipe"}


def schemas(database: Database) -> set[str]:
    query = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'mirpipe%'"
    with database.owner.connect() as owner:
        return set(owner.execute(text(query)).scalars())


def test_roles_and_functions_work_after_a_restore(
    filled: Database, store: Path, tmp_path: Path
) -> None:
    back_up(tmp_path / "backup")
    empty(filled, store)
    restore(tmp_path / "backup")
    with filled.owner.connect() as owner:
        assert health.wrong_grants(owner) == []
    with filled.app.begin() as app_:
        query = "SELECT mirpipe.register_encoder('new', 'r1', 3, '{}')"
        encoder_id = app_.execute(text(query)).scalar_one()
    with filled.reader.connect() as reader:
        reader.execute(text(f"TABLE mirpipe.v_embedding_{encoder_id}"))


def test_a_restore_is_refused_while_objects_of_users_depend_on_the_schema(
    filled: Database, tmp_path: Path
) -> None:
    backup = back_up(tmp_path / "backup")
    with filled.owner.begin() as owner:
        owner.execute(text("CREATE VIEW public.mine AS SELECT title FROM mirpipe.v_library"))
    with pytest.raises(DatabaseError, match=r"view public\.mine needs view mirpipe\.v_library"):
        restore(tmp_path / "backup", replace=True)
    with filled.owner.begin() as owner:
        assert len(owner.execute(text("TABLE public.mine")).all()) > 0
        owner.execute(text("DROP VIEW public.mine"))
    assert restore(tmp_path / "backup", replace=True).digest == backup.digest


def test_views_are_those_of_this_mirpipe_after_a_restore(
    filled: Database, store: Path, tmp_path: Path
) -> None:
    with filled.owner.begin() as owner:
        owner.execute(text("DROP VIEW mirpipe.v_map"))
        owner.execute(text("CREATE VIEW mirpipe.v_map AS SELECT 'old' AS version"))
        owner.execute(text("CREATE VIEW mirpipe.v_removed AS SELECT 'old' AS version"))
        owner.execute(text("UPDATE mirpipe.schema_file SET sha256 = '' WHERE path ~ 'v_map'"))
        owner.execute(text("INSERT INTO mirpipe.schema_file VALUES ('views/v_removed.sql', '')"))
    back_up(tmp_path / "backup")
    empty(filled, store)
    restore(tmp_path / "backup")
    with filled.owner.connect() as owner:
        assert outdated_files(owner) == []
        assert owner.execute(text("SELECT encoder FROM mirpipe.v_map")).all() == []
        assert owner.execute(text("SELECT to_regclass('mirpipe.v_removed')")).scalar() is None


def test_clips_are_restored_to_the_configured_folder(
    filled: Database, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = audio(store)
    back_up(tmp_path / "backup")
    empty(filled, store)
    monkeypatch.setenv("MIRPIPE_CLIPS_DIR", str(tmp_path / "else" / "whère"))
    settings.cache_clear()
    restore(tmp_path / "backup")
    with filled.reader.connect() as reader:
        paths = list(health.recorded_files(reader, "generated"))
        shown = reader.execute(
            text("SELECT path FROM mirpipe.v_library WHERE collection = 'generated'")
        ).scalars()
        assert set(shown) == {str(path) for path in paths}
    assert {str(path.relative_to(settings().clips_folder)) for path in paths} == sound.keys()
    assert audio(settings().clips_folder) == sound


def test_a_database_with_content_is_replaced_only_on_request(
    filled: Database, tmp_path: Path
) -> None:
    backup = back_up(tmp_path / "backup")
    with filled.owner.begin() as owner:
        fill_more = Piece("reference", "more", Path("/nowhere/more.ogg"))
        track(owner, fill_more)
    changed = digest(filled)
    with pytest.raises(ConfigurationError, match="--replace"):
        restore(tmp_path / "backup")
    assert digest(filled) == changed != backup.digest
    restore(tmp_path / "backup", replace=True)
    assert digest(filled) == backup.digest


def test_rows_that_are_added_during_a_restore_are_not_deleted(
    filled: Database, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    back_up(tmp_path / "backup")
    empty(filled, store)
    migrate()

    def ingest_meanwhile(*_: object) -> None:
        with filled.owner.begin() as owner:
            track(owner, Piece("reference", "more", Path("/nowhere/more.ogg")))

    monkeypatch.setattr(load_dump, "_load_tables", ingest_meanwhile)
    with pytest.raises(DatabaseError, match="was empty when the restore started"):
        restore(tmp_path / "backup")
    with filled.reader.connect() as reader:
        assert reader.execute(text("SELECT count(*) FROM mirpipe.track")).scalar_one() == 1
    assert schemas(filled) == {"mirpipe"}


def test_an_empty_schema_is_replaced(filled: Database, store: Path, tmp_path: Path) -> None:
    backup = back_up(tmp_path / "backup")
    empty(filled, store)
    migrate()
    assert restore(tmp_path / "backup").digest == backup.digest


def test_a_backup_of_another_schema_is_not_compared(
    filled: Database, store: Path, tmp_path: Path
) -> None:
    back_up(tmp_path / "backup")
    manifest = tmp_path / "backup" / "manifest.json"
    manifest_content = json.loads(manifest.read_text())
    manifest.write_text(
        json.dumps(manifest_content | {"digest_of": "other questions", "digest": "0"})
    )
    empty(filled, store)
    assert restore(tmp_path / "backup").is_compared is False
    for revision, remedy in (("9999", "Update mirpipe"), ("0004", r"0009_comments\.py")):
        manifest.write_text(json.dumps(manifest_content | {"schema_revision": revision}))
        with pytest.raises(ConfigurationError, match=remedy):
            restore(tmp_path / "backup", replace=True)


@pytest.mark.parametrize("moment", ["dump", "_copy", "_sync"])
def test_a_killed_backup_leaves_no_complete_backup(
    filled: Database, tmp_path: Path, moment: str
) -> None:
    command = [sys.executable, "-c", _KILLED, tmp_path / "backup", moment]
    process = subprocess.run(command, check=False, capture_output=True, timeout=60)
    assert process.returncode == -signal.SIGKILL, process.stderr
    assert not (tmp_path / "backup").exists()
    with pytest.raises(ConfigurationError, match="not a complete backup"):
        restore(tmp_path / "backup", replace=True)
    backup = back_up(tmp_path / "backup")
    assert [path.name for path in tmp_path.glob("backup*")] == ["backup"]
    assert restore(backup.folder, replace=True).digest == backup.digest


def test_a_failed_backup_leaves_no_folder(
    filled: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mirpipe.db.dump.program", lambda _: "/bin/false")
    with pytest.raises(DatabaseError, match="false failed"):
        back_up(tmp_path / "backup")
    assert list(tmp_path.glob("backup*")) == []


Harm = Callable[[Path], object]


@pytest.mark.parametrize(
    "harm",
    [
        lambda backup: (backup / CONTENTS).write_bytes(b"PGDMP"),
        lambda backup: next(backup.glob("clips/*/*")).write_bytes(b"noise"),
        lambda backup: next(backup.glob("clips/*/*")).unlink(),
        lambda backup: (backup / "manifest.json").unlink(),
        lambda backup: (backup / "manifest.json").write_text("{"),
    ],
    ids=["dump", "clip", "lost clip", "no manifest", "manifest"],
)
def test_a_damaged_backup_is_refused_before_anything_changes(
    filled: Database, tmp_path: Path, harm: Harm
) -> None:
    back_up(tmp_path / "backup")
    before = digest(filled)
    harm(tmp_path / "backup")
    with pytest.raises(ConfigurationError, match=r"not a complete backup|missing|damaged"):
        restore(tmp_path / "backup", replace=True)
    assert digest(filled) == before


def test_a_restore_that_fails_changes_no_row(
    filled: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = back_up(tmp_path / "backup")
    monkeypatch.setattr("mirpipe.db.load_dump._MOVE_CLIPS", "SELECT 1 / 0 -- {folder} {shown}")
    with pytest.raises(DatabaseError, match="division by zero"):
        restore(tmp_path / "backup", replace=True)
    assert digest(filled) == backup.digest
    assert schemas(filled) == {"mirpipe"}


def test_restored_content_with_another_digest_is_an_error(filled: Database, tmp_path: Path) -> None:
    back_up(tmp_path / "backup")
    manifest = tmp_path / "backup" / "manifest.json"
    manifest_content = json.loads(manifest.read_text())
    manifest.write_text(json.dumps(manifest_content | {"digest": "0" * 64}))
    with pytest.raises(DatabaseError, match="Do not use this database"):
        restore(tmp_path / "backup", replace=True)


def test_missing_clips_are_named(filled: Database, store: Path, tmp_path: Path) -> None:
    lost = next(store.rglob("*.flac"))
    lost.unlink()
    result = CliRunner().invoke(app, ["backup", str(tmp_path / "backup"), "--json"])
    assert result.exit_code == 1
    backup = Backup(**json.loads(result.stdout))
    assert (backup.clips, backup.missing_clips) == (1, [lost.name])


def test_an_existing_folder_is_not_overwritten(filled: Database, tmp_path: Path) -> None:
    (tmp_path / "backup").mkdir()
    (tmp_path / "backup" / "mine").touch()
    with pytest.raises(ConfigurationError, match="name a new folder"):
        back_up(tmp_path / "backup")
    assert [path.name for path in (tmp_path / "backup").iterdir()] == ["mine"]


def test_a_database_without_tables_has_nothing_to_back_up(
    fresh_database: Database, tmp_path: Path
) -> None:
    downgrade("base")
    with pytest.raises(DatabaseError, match="nothing to back up"):
        back_up(tmp_path / "backup")


def test_a_script_for_an_older_server_lacks_newer_settings() -> None:
    header = b"SET lock_timeout = 0;\nSET transaction_timeout = 0;\nSELECT 1;\n"
    changed = remove_newer_settings(header)
    assert len(changed) == len(header)
    first, second, third = changed.splitlines()
    assert (first, second.strip(), third) == (b"SET lock_timeout = 0;", b"--", b"SELECT 1;")


def test_the_password_is_not_an_argument_of_any_program(
    filled: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[str]] = []

    monkeypatch.setattr(load_dump, "LARGE_TABLE_BYTES", 0)

    class Spy(subprocess.Popen[bytes]):
        def __init__(self, command: list[str], **options: Any) -> None:
            seen.append([str(argument) for argument in command])
            super().__init__(command, **options)

    monkeypatch.setattr(subprocess, "Popen", Spy)
    restore(back_up(tmp_path / "backup").folder, replace=True)
    password = str(filled.owner.url.password)
    assert {Path(command[0]).name for command in seen} == {"pg_dump", "pg_restore", "psql"}
    assert not any(password in argument for command in seen for argument in command)
