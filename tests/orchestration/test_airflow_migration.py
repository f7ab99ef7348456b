"""Airflow's metadata database is migrated only if a migration is needed."""

import subprocess
from pathlib import Path

import pytest

from mirpipe.errors import MirpipeError
from mirpipe.orchestration import airflow_home, airflow_migration
from mirpipe.orchestration.airflow_migration import migrate_if_needed
from mirpipe.settings import Settings


class FakeMigration:
    """A fake `airflow db migrate`. Calling the object runs `migrate_if_needed`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
        self.runs = 0
        self.revision: str | None = None
        self.works = True
        self._settings = Settings(home=home)
        airflow_home.folder(self._settings).mkdir(parents=True)
        monkeypatch.setattr(airflow_migration, "_schema_revision", lambda _url: self.revision)
        monkeypatch.setattr(airflow_migration.subprocess, "run", self._run)

    def _run(self, *_: object, **__: object) -> subprocess.CompletedProcess[bytes]:
        self.runs += 1
        if self.works:
            self.revision = "head"
        return subprocess.CompletedProcess([], 0 if self.works else 1)

    def __call__(self) -> None:
        log = self._settings.home / "migrate.log"
        migrate_if_needed(self._settings, {}, database_url="", log=log, show=lambda _line: None)


@pytest.fixture
def migration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeMigration:
    return FakeMigration(monkeypatch, tmp_path)


def test_the_database_is_migrated_once(migration: FakeMigration) -> None:
    migration()
    migration()
    assert migration.runs == 1


@pytest.mark.parametrize("revision", [None, "older"])
def test_a_replaced_database_is_migrated_again(
    migration: FakeMigration, revision: str | None
) -> None:
    migration()
    migration.revision = revision
    migration()
    assert migration.runs == 2


def test_another_version_of_airflow_migrates_again(
    migration: FakeMigration, monkeypatch: pytest.MonkeyPatch
) -> None:
    migration()
    monkeypatch.setattr(airflow_migration, "version", lambda _name: "99.0")
    migration()
    assert migration.runs == 2


def test_the_error_of_a_failed_migration_names_the_log_and_the_next_run_retries(
    migration: FakeMigration,
) -> None:
    migration.works = False
    with pytest.raises(MirpipeError, match=r"migrate\.log"):
        migration()
    migration.works = True
    migration()
    assert migration.runs == 2
