"""The local Airflow's small steps; that all of it works together is for the e2e test."""

import subprocess
from pathlib import Path

import pytest

from mirpipe.errors import MirpipeError
from mirpipe.orchestration import airflow_home, local_airflow
from mirpipe.orchestration.local_airflow import migrate
from mirpipe.settings import Settings


class Migration:
    """In place of `airflow db migrate`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
        self.runs = 0
        self.revision: str | None = None
        self.works = True
        self._settings = Settings(home=home)
        airflow_home.folder(self._settings).mkdir(parents=True)
        monkeypatch.setattr(local_airflow, "_revision", lambda _url: self.revision)
        monkeypatch.setattr(local_airflow.subprocess, "run", self._run)

    def _run(self, *_: object, **__: object) -> subprocess.CompletedProcess[bytes]:
        self.runs += 1
        if self.works:
            self.revision = "head"
        return subprocess.CompletedProcess([], 0 if self.works else 1)

    def __call__(self) -> None:
        log = self._settings.home / "migrate.log"
        migrate(self._settings, {}, database_url="", log=log, say=lambda _line: None)


@pytest.fixture
def migration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Migration:
    return Migration(monkeypatch, tmp_path)


def test_metadata_are_migrated_once(migration: Migration) -> None:
    migration()
    migration()
    assert migration.runs == 1


@pytest.mark.parametrize("revision", [None, "older"])
def test_a_database_that_was_replaced_is_migrated_again(
    migration: Migration, revision: str | None
) -> None:
    migration()
    migration.revision = revision
    migration()
    assert migration.runs == 2


def test_another_airflow_migrates_again(
    migration: Migration, monkeypatch: pytest.MonkeyPatch
) -> None:
    migration()
    monkeypatch.setattr(local_airflow, "version", lambda _name: "99.0")
    migration()
    assert migration.runs == 2


def test_a_failed_migration_points_at_its_log_and_is_tried_again(migration: Migration) -> None:
    migration.works = False
    with pytest.raises(MirpipeError, match=r"migrate\.log"):
        migration()
    migration.works = True
    migration()
    assert migration.runs == 2
