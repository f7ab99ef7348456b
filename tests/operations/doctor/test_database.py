"""Tests for the database and file checks, with one thing broken at a time."""

import os
from pathlib import Path

import pytest
from sqlalchemy import text

from mirpipe.db import health, oldest_versions
from mirpipe.db.engine import close_engines, database_url
from mirpipe.db.migrate import downgrade
from mirpipe.db.named_locks import hold_lock
from mirpipe.operations.doctor import database, files
from mirpipe.operations.doctor.finding import Finding
from mirpipe.settings import settings
from tests.dashboard.example_library import Piece, track
from tests.support.databases import Database


def by_check(findings: object) -> dict[str, Finding]:
    return {finding.check: finding for finding in findings}  # type: ignore[attr-defined]


def run(fresh: Database, statement: str) -> None:
    with fresh.owner.begin() as owner:
        owner.execute(text(statement))


def test_a_new_database_passes_all_checks(fresh_database: Database) -> None:
    levels = {name: finding.level for name, finding in by_check(database.check()).items()}
    assert levels == dict.fromkeys(
        ["database", "roles", "clock", "migrations", "search", "locks"], "ok"
    )


def test_a_worker_without_the_owners_login_passes_all_checks(
    fresh_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, reader = (database_url(role) for role in ("app", "reader"))
    monkeypatch.delenv("MIRPIPE_OWNER_URL", raising=False)
    monkeypatch.setenv("MIRPIPE_DATABASE_URL", app)
    monkeypatch.setenv("MIRPIPE_READER_URL", reader)
    settings.cache_clear()
    close_engines()
    found = by_check([*database.check(), *files.check()])
    assert {finding.level for finding in found.values()} == {"ok"}
    assert "MIRPIPE_OWNER_URL is not set" in found["migrations"].message
    assert {"clips", "references", "targets"} <= set(found)


def test_an_embedded_server_that_is_down_is_reported_and_not_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIRPIPE_HOME", str(tmp_path))
    settings.cache_clear()
    (finding,) = database.check()
    assert (finding.level, finding.remedy[:19]) == ("warning", "run `mirpipe db up`")
    assert list(files.check()) == []
    assert list(tmp_path.iterdir()) == []


def test_old_versions_are_a_problem(
    fresh_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oldest_versions, "OLDEST_PGVECTOR", (99, 0, 0))
    monkeypatch.setattr(oldest_versions, "OLDEST_POSTGRES", 99)
    with fresh_database.reader.connect() as reader:
        (finding,) = database.versions(reader)
    assert finding.level == "problem"
    assert "older than 99;" in finding.message
    assert "older than 99.0.0" in finding.message


def test_a_database_without_pgvector_is_a_problem() -> None:
    (message,) = oldest_versions.outdated_versions(18, None)
    assert message.endswith("is not installed")


def test_a_schema_that_is_not_at_head_is_a_problem(fresh_database: Database) -> None:
    downgrade("-1")
    finding = by_check(database.check())["migrations"]
    assert (finding.level, "mirpipe db migrate" in finding.remedy) == ("problem", True)
    assert list(files.check()) == []


@pytest.mark.parametrize(
    "statement",
    [
        "DROP VIEW mirpipe.v_map",
        "UPDATE mirpipe.schema_file SET sha256 = '' WHERE path = 'views/v_map.sql'",
        "DELETE FROM mirpipe.schema_file WHERE path = 'views/v_map.sql'",
    ],
)
def test_views_that_are_not_those_of_the_files_are_a_problem(
    fresh_database: Database, statement: str
) -> None:
    run(fresh_database, statement)
    finding = by_check(database.check())["migrations"]
    assert finding.level == "problem"
    assert finding.message.endswith(": views/v_map.sql")
    assert finding.remedy == "run `mirpipe db migrate`"


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("REVOKE SELECT ON mirpipe.v_library FROM mirpipe_read", "cannot read v_library"),
        ("GRANT SELECT ON mirpipe.vote TO mirpipe_read", "mirpipe_read can read vote"),
        ("REVOKE INSERT ON mirpipe.track FROM mirpipe_app", "mirpipe_app cannot write track"),
        ("GRANT DELETE ON mirpipe.run TO mirpipe_read", "mirpipe_read can write run"),
        ("GRANT SELECT ON mirpipe.vote TO mirpipe_listener", "mirpipe_listener has a privilege on"),
        ("REVOKE USAGE ON SCHEMA mirpipe FROM mirpipe_app", "cannot use the schema"),
    ],
)
def test_wrong_grants_are_problems(fresh_database: Database, statement: str, message: str) -> None:
    run(fresh_database, statement)
    with fresh_database.reader.connect() as reader:
        (finding,) = database.roles(reader)
    assert finding.level == "problem"
    assert message in finding.message


def test_a_reader_that_can_write_is_reported(
    fresh_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIRPIPE_READER_URL", str(settings().database_url))
    settings.cache_clear()
    close_engines()
    findings = [finding for finding in database.check() if finding.check == "roles"]
    assert [finding.level for finding in findings] == ["warning", "ok"]
    assert "MIRPIPE_READER_URL" in findings[0].remedy


@pytest.mark.parametrize(("seconds", "level"), [(10, "warning"), (-3600, "problem")])
def test_a_wrong_clock_is_reported(
    fresh_database: Database, monkeypatch: pytest.MonkeyPatch, seconds: float, level: str
) -> None:
    now = health.time.time
    monkeypatch.setattr(health.time, "time", lambda: now() - seconds)
    with fresh_database.reader.connect() as reader:
        (finding,) = database.clock(reader)
    assert finding.level == level
    assert f"{abs(seconds)} s {'ahead' if seconds > 0 else 'behind'}" in finding.message


def test_an_idle_session_that_holds_a_lock_is_reported(fresh_database: Database) -> None:
    with hold_lock("something"), fresh_database.app.connect() as app:
        assert [finding.level for finding in database.sessions(app)] == ["ok"]
        (finding,) = database.sessions(app, idle_seconds=0)
    assert finding.level == "warning"
    assert "pg_terminate_backend" in finding.remedy


@pytest.fixture
def clips(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("MIRPIPE_CLIPS_DIR", str(tmp_path / "clips"))
    settings.cache_clear()
    (tmp_path / "clips" / "ab").mkdir(parents=True)
    return tmp_path / "clips" / "ab"


def test_clips_without_a_row_are_reported_once_they_are_old(
    fresh_database: Database, clips: Path
) -> None:
    (clips / "ab01.flac").write_bytes(b"sound")
    assert by_check(files.check())["clips"].level == "ok"
    os.utime(clips / "ab01.flac", (0, 0))
    finding = by_check(files.check())["clips"]
    assert finding.level == "warning"
    assert "ab01.flac" in finding.message


def test_rows_without_a_file_are_reported(fresh_database: Database, clips: Path) -> None:
    with fresh_database.owner.begin() as owner:
        track(owner, Piece("generated", "made", clips / "ab02.flac"))
        track(owner, Piece("reference", "found", clips / "gone.ogg"))
    findings = by_check(files.check())
    assert {name: finding.level for name, finding in findings.items()} == {
        "clips": "problem",
        "references": "warning",
        "targets": "ok",
    }
    assert "ab02.flac" in findings["clips"].message
    assert "mirpipe ingest" in findings["references"].remedy
