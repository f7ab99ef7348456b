"""Checks of the database and of what it says of files, each thing broken once."""

import os
from pathlib import Path

import pytest
from sqlalchemy import text

from mirpipe.db import health
from mirpipe.db.advisory_locks import exclusive
from mirpipe.db.engine import forget_engines
from mirpipe.db.migrate import downgrade
from mirpipe.operations.doctor import database, files
from mirpipe.operations.doctor.finding import Finding
from mirpipe.settings import settings
from tests.dashboard.filled import Piece, track
from tests.support.databases import Database


def by_check(found: object) -> dict[str, Finding]:
    return {one.check: one for one in found}  # type: ignore[attr-defined]


def run(fresh: Database, statement: str) -> None:
    with fresh.owner.begin() as owner:
        owner.execute(text(statement))


def test_a_new_database_is_well(fresh_database: Database) -> None:
    levels = {name: one.level for name, one in by_check(database.check()).items()}
    assert levels == dict.fromkeys(["database", "roles", "clock", "migrations", "locks"], "ok")


def test_an_embedded_server_that_is_down_is_told_and_not_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIRPIPE_HOME", str(tmp_path))
    settings.cache_clear()
    (found,) = database.check()
    assert (found.level, found.remedy[:15]) == ("warning", "`mirpipe db up`")
    assert list(files.check()) == []
    assert list(tmp_path.iterdir()) == []


def test_old_versions_are_a_problem(
    fresh_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "OLDEST_PGVECTOR", (99, 0, 0))
    monkeypatch.setattr(health, "OLDEST_POSTGRES", 99)
    with fresh_database.reader.connect() as reader:
        (found,) = database.versions(reader)
    assert found.level == "problem"
    assert "older than 99;" in found.message
    assert "older than 99.0.0" in found.message


def test_a_database_without_pgvector_is_a_problem() -> None:
    assert health.is_too_old(health.Server((18, 6), None)) == [
        "the extension vector is not in the database"
    ]


def test_a_schema_that_is_not_at_head_is_a_problem(fresh_database: Database) -> None:
    downgrade("0001")
    found = by_check(database.check())["migrations"]
    assert (found.level, "mirpipe db migrate" in found.remedy) == ("problem", True)
    assert list(files.check()) == []


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("REVOKE SELECT ON mirpipe.v_library FROM mirpipe_read", "may not read v_library"),
        ("REVOKE INSERT ON mirpipe.track FROM mirpipe_app", "mirpipe_app may not write track"),
        ("GRANT DELETE ON mirpipe.run TO mirpipe_read", "mirpipe_read may write run"),
        ("REVOKE USAGE ON SCHEMA mirpipe FROM mirpipe_app", "may not look into the schema"),
    ],
)
def test_wrong_grants_are_problems(fresh_database: Database, statement: str, said: str) -> None:
    run(fresh_database, statement)
    with fresh_database.reader.connect() as reader:
        (found,) = database.roles(reader)
    assert found.level == "problem"
    assert said in found.message


def test_a_reader_who_may_write_is_told(
    fresh_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIRPIPE_READER_URL", str(settings().database_url))
    settings.cache_clear()
    forget_engines()
    found = [one for one in database.check() if one.check == "roles"]
    assert [one.level for one in found] == ["warning", "ok"]
    assert "MIRPIPE_READER_URL" in found[0].remedy


@pytest.mark.parametrize(("seconds", "level"), [(10, "warning"), (-3600, "problem")])
def test_a_clock_that_is_off_is_told(
    fresh_database: Database, monkeypatch: pytest.MonkeyPatch, seconds: float, level: str
) -> None:
    now = health.time.time
    monkeypatch.setattr(health.time, "time", lambda: now() - seconds)
    with fresh_database.reader.connect() as reader:
        (found,) = database.clock(reader)
    assert found.level == level
    assert f"{abs(seconds)} s {'ahead' if seconds > 0 else 'behind'}" in found.message


def test_a_lock_that_is_held_idly_is_told(fresh_database: Database) -> None:
    with exclusive("something"), fresh_database.app.connect() as app:
        assert [one.level for one in database.sessions(app)] == ["ok"]
        (found,) = database.sessions(app, idle_seconds=0)
    assert found.level == "warning"
    assert "pg_terminate_backend" in found.remedy


@pytest.fixture
def clips(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("MIRPIPE_CLIPS_DIR", str(tmp_path / "clips"))
    settings.cache_clear()
    (tmp_path / "clips" / "ab").mkdir(parents=True)
    return tmp_path / "clips" / "ab"


def test_clips_without_a_row_are_told_once_they_are_old(
    fresh_database: Database, clips: Path
) -> None:
    (clips / "ab01.flac").write_bytes(b"sound")
    assert by_check(files.check())["clips"].level == "ok"
    os.utime(clips / "ab01.flac", (0, 0))
    found = by_check(files.check())["clips"]
    assert found.level == "warning"
    assert "ab01.flac" in found.message


def test_rows_without_a_file_are_told(fresh_database: Database, clips: Path) -> None:
    with fresh_database.owner.begin() as owner:
        track(owner, Piece("generated", "made", clips / "ab02.flac"))
        track(owner, Piece("reference", "found", clips / "gone.ogg"))
    found = by_check(files.check())
    assert {name: one.level for name, one in found.items()} == {
        "clips": "problem",
        "references": "warning",
        "targets": "ok",
    }
    assert "ab02.flac" in found["clips"].message
    assert "mirpipe ingest" in found["references"].remedy
