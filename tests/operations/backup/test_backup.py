"""Backup and restore: there and back without a difference, and never half."""

import hashlib
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from mirpipe.cli.main import app
from mirpipe.db import health
from mirpipe.db.dump import suit_older_servers
from mirpipe.db.migrate import current, downgrade, head, migrate
from mirpipe.db.store.content_digest import combined, digests
from mirpipe.errors import ConfigurationError, DatabaseError
from mirpipe.generation import clip_store
from mirpipe.operations.backup import Made, back_up, restore
from mirpipe.operations.backup.backup_manifest import DUMP
from mirpipe.settings import settings
from tests.dashboard.filled import Model, Piece, fill, rate, track
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
from mirpipe.operations.backup import create
def kill(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
setattr(create, sys.argv[2], kill)
create.back_up(Path(sys.argv[1]))
"""


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("MIRPIPE_CLIPS_DIR", str(tmp_path / "it's “clips”"))
    settings.cache_clear()
    return settings().clips_folder


@pytest.fixture
def filled(fresh_database: Database, store: Path) -> Database:
    """A library with answers, scores and two clips whose audio lies in the store."""
    with fresh_database.owner.begin() as owner:
        fill(owner, PIECES, MODELS)
        rate(owner, "r1", 1.5, 2.5, 3.5, 4.5)
        for seed in (1, 2):
            clip = clip_store.store(melody(0.5, 8000, seed=seed), 8000)
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


def test_there_and_back_nothing_differs(filled: Database, store: Path, tmp_path: Path) -> None:
    before, sound = digest(filled), audio(store)
    made = back_up(tmp_path / "kept")
    assert (made.digest, made.clips, made.missing_clips) == (before, 2, [])
    empty(filled, store)
    restored = restore(tmp_path / "kept")
    assert (restored.digest, restored.clips, restored.is_compared) == (before, 2, True)
    assert digest(filled) == before
    assert audio(store) == sound
    assert current() == head()


def test_roles_and_functions_work_after_a_restore(
    filled: Database, store: Path, tmp_path: Path
) -> None:
    back_up(tmp_path / "kept")
    empty(filled, store)
    restore(tmp_path / "kept")
    with filled.owner.connect() as owner:
        assert health.wrong_grants(owner) == []
    with filled.app.begin() as app_:
        made = "SELECT mirpipe.register_encoder('new', 'r1', 3, '{}')"
        encoder_id = app_.execute(text(made)).scalar_one()
    with filled.reader.connect() as reader:
        reader.execute(text(f"TABLE mirpipe.v_embedding_{encoder_id}"))


def test_clips_are_found_where_the_settings_say_now(
    filled: Database, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = audio(store)
    back_up(tmp_path / "kept")
    empty(filled, store)
    monkeypatch.setenv("MIRPIPE_CLIPS_DIR", str(tmp_path / "else" / "whère"))
    settings.cache_clear()
    restore(tmp_path / "kept")
    with filled.reader.connect() as reader:
        places = list(health.recorded_files(reader, "generated"))
        shown = reader.execute(
            text("SELECT path FROM mirpipe.v_library WHERE collection = 'generated'")
        ).scalars()
        assert set(shown) == {str(place) for place in places}
    assert {str(place.relative_to(settings().clips_folder)) for place in places} == sound.keys()
    assert audio(settings().clips_folder) == sound


def test_a_database_that_holds_something_is_replaced_only_when_asked(
    filled: Database, tmp_path: Path
) -> None:
    made = back_up(tmp_path / "kept")
    with filled.owner.begin() as owner:
        fill_more = Piece("reference", "more", Path("/nowhere/more.ogg"))
        track(owner, fill_more)
    changed = digest(filled)
    with pytest.raises(ConfigurationError, match="--replace"):
        restore(tmp_path / "kept")
    assert digest(filled) == changed != made.digest
    restore(tmp_path / "kept", replace=True)
    assert digest(filled) == made.digest


def test_a_new_empty_schema_is_not_in_the_way(
    filled: Database, store: Path, tmp_path: Path
) -> None:
    made = back_up(tmp_path / "kept")
    empty(filled, store)
    migrate()
    assert restore(tmp_path / "kept").digest == made.digest


def test_a_backup_of_an_older_schema_is_brought_to_head(
    filled: Database, store: Path, tmp_path: Path
) -> None:
    back_up(tmp_path / "kept")
    manifest = tmp_path / "kept" / "manifest.json"
    told = json.loads(manifest.read_text())
    manifest.write_text(json.dumps(told | {"digest_of": "other questions", "digest": "0"}))
    empty(filled, store)
    assert restore(tmp_path / "kept").is_compared is False
    manifest.write_text(json.dumps(told | {"schema_revision": "9999"}))
    with pytest.raises(ConfigurationError, match="update mirpipe"):
        restore(tmp_path / "kept", replace=True)


@pytest.mark.parametrize("moment", ["dump", "_copy", "_sync"])
def test_a_killed_backup_leaves_nothing_that_looks_whole(
    filled: Database, tmp_path: Path, moment: str
) -> None:
    command = [sys.executable, "-c", _KILLED, tmp_path / "kept", moment]
    ended = subprocess.run(command, check=False, capture_output=True, timeout=60)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert not (tmp_path / "kept").exists()
    with pytest.raises(ConfigurationError, match="no whole backup"):
        restore(tmp_path / "kept", replace=True)
    made = back_up(tmp_path / "kept")
    assert [path.name for path in tmp_path.glob("kept*")] == ["kept"]
    assert restore(made.folder, replace=True).digest == made.digest


def test_a_failed_backup_leaves_no_folder(
    filled: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mirpipe.db.dump._program", lambda _: "/bin/false")
    with pytest.raises(DatabaseError, match="false failed"):
        back_up(tmp_path / "kept")
    assert list(tmp_path.glob("kept*")) == []


Harm = Callable[[Path], object]


@pytest.mark.parametrize(
    "harm",
    [
        lambda kept: (kept / DUMP).write_bytes(b"PGDMP"),
        lambda kept: next(kept.glob("clips/*/*")).write_bytes(b"noise"),
        lambda kept: next(kept.glob("clips/*/*")).unlink(),
        lambda kept: (kept / "manifest.json").unlink(),
        lambda kept: (kept / "manifest.json").write_text("{"),
    ],
    ids=["dump", "clip", "lost clip", "no manifest", "manifest"],
)
def test_a_damaged_backup_is_refused_before_anything_is_touched(
    filled: Database, tmp_path: Path, harm: Harm
) -> None:
    back_up(tmp_path / "kept")
    before = digest(filled)
    harm(tmp_path / "kept")
    with pytest.raises(ConfigurationError, match=r"whole|damaged"):
        restore(tmp_path / "kept", replace=True)
    assert digest(filled) == before


def test_a_restore_that_fails_half_way_changes_no_row(
    filled: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = back_up(tmp_path / "kept")
    monkeypatch.setattr("mirpipe.db.dump._MOVE_CLIPS", "SELECT 1 / 0 -- {folder} {shown}")
    with pytest.raises(DatabaseError, match="division by zero"):
        restore(tmp_path / "kept", replace=True)
    assert digest(filled) == made.digest


def test_content_that_came_back_otherwise_is_not_trusted(filled: Database, tmp_path: Path) -> None:
    back_up(tmp_path / "kept")
    manifest = tmp_path / "kept" / "manifest.json"
    told = json.loads(manifest.read_text())
    manifest.write_text(json.dumps(told | {"digest": "0" * 64}))
    with pytest.raises(DatabaseError, match="do not trust it"):
        restore(tmp_path / "kept", replace=True)


def test_clips_that_were_gone_already_are_named(
    filled: Database, store: Path, tmp_path: Path
) -> None:
    lost = next(store.rglob("*.flac"))
    lost.unlink()
    result = CliRunner().invoke(app, ["backup", str(tmp_path / "kept"), "--json"])
    assert result.exit_code == 1
    told = Made(**json.loads(result.stdout))
    assert (told.clips, told.missing_clips) == (1, [lost.name])


def test_nothing_is_written_over(filled: Database, tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "mine").touch()
    with pytest.raises(ConfigurationError, match="name a new folder"):
        back_up(tmp_path / "kept")
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["mine"]


def test_a_database_without_tables_has_nothing_to_back_up(
    fresh_database: Database, tmp_path: Path
) -> None:
    downgrade("base")
    with pytest.raises(DatabaseError, match="nothing to back up"):
        back_up(tmp_path / "kept")


def test_a_script_for_an_older_server_lacks_what_that_does_not_know(tmp_path: Path) -> None:
    script = tmp_path / "script.sql"
    script.write_bytes(b"SET lock_timeout = 0;\nSET transaction_timeout = 0;\nSELECT 1;\n")
    size = script.stat().st_size
    suit_older_servers(script)
    assert script.stat().st_size == size
    first, second, third = script.read_bytes().splitlines()
    assert (first, second.strip(), third) == (b"SET lock_timeout = 0;", b"--", b"SELECT 1;")


def test_the_password_is_in_no_arguments(
    filled: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[str]] = []
    run = subprocess.run

    def spy(command: list[str], **options: object) -> object:
        seen.append([str(one) for one in command])
        return run(command, **options)  # type: ignore[call-overload]

    monkeypatch.setattr("mirpipe.db.dump.subprocess.run", spy)
    restore(back_up(tmp_path / "kept").folder, replace=True)
    password = str(filled.owner.url.password)
    assert len(seen) == 4
    assert not any(password in argument for command in seen for argument in command)
