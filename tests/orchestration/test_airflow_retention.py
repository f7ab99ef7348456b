"""Airflow's old history and old task logs are deleted, and newer ones are kept."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, inspect, text

from mirpipe.errors import ConfigurationError, StageFailed
from mirpipe.orchestration import airflow_home
from mirpipe.orchestration.airflow_cli import airflow_command
from mirpipe.orchestration.airflow_retention import clean_history, delete_old_logs
from mirpipe.postgres.embedded import EmbeddedPostgres
from mirpipe.settings import Settings

DAYS = 86_400
OLD_AND_NEW_RUNS = """
    INSERT INTO dag_run (dag_id, run_id, run_type, state, start_date, run_after, updated_at,
        clear_number)
    SELECT 'a_dag', kind || age, kind, 'success', at, at, at, 0
    FROM (VALUES ('scheduled'), ('manual')) k (kind), (VALUES (60), (45), (1)) a (age)
    CROSS JOIN LATERAL (SELECT now() - age * interval '1 day' AS at) t
"""
OLD_AND_NEW_EVENTS = """
    INSERT INTO log (dttm, event) SELECT now() - age * interval '1 day', 'event ' || age
    FROM (VALUES (60), (1)) a (age)
"""


@pytest.fixture
def metadata(
    embedded: EmbeddedPostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Engine]:
    """A migrated metadata database of Airflow, as a task of Airflow sees it."""
    with closing(embedded.connect()) as connection, connection.cursor() as sql:
        sql.execute("CREATE DATABASE airflow_history OWNER airflow")
    url = embedded.url("airflow", "airflow_history")
    environment = airflow_home.environment(Settings(home=tmp_path), database_url=url, port=1)
    subprocess.run(airflow_command("db", "migrate"), env=environment, check=True)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    # Airflow sets this value in every task.
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "airflow-db-not-allowed:///")
    monkeypatch.setenv("MIRPIPE_AIRFLOW_DATABASE_URL", url)
    engine = create_engine(url)
    yield engine
    engine.dispose()
    with closing(embedded.connect()) as connection, connection.cursor() as sql:
        sql.execute("DROP DATABASE airflow_history WITH (FORCE)")


def values(engine: Engine, query: str) -> list[object]:
    with engine.connect() as connection:
        return list(connection.execute(text(query)).scalars())


@pytest.mark.slow
def test_airflow_deletes_history_that_is_older_than_the_setting(metadata: Engine) -> None:
    with metadata.begin() as connection:
        for statement in (OLD_AND_NEW_RUNS, OLD_AND_NEW_EVENTS):
            connection.execute(text(statement))
        connection.execute(text("CREATE TABLE _airflow_deleted__log__1 AS TABLE log"))
    clean_history(Settings(keep_airflow_days=50))
    runs = "SELECT run_id FROM dag_run ORDER BY run_id"
    assert values(metadata, runs) == ["manual1", "manual45", "scheduled1", "scheduled45"]
    assert values(metadata, "SELECT event FROM log WHERE event LIKE 'event%'") == ["event 1"]
    tables = inspect(metadata).get_table_names()
    assert [name for name in tables if name.startswith("_airflow_deleted")] == []


def test_the_error_names_the_setting_or_the_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match="MIRPIPE_AIRFLOW_DATABASE_URL"):
        clean_history(Settings(home=tmp_path))
    monkeypatch.setattr(
        subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 1)
    )
    with pytest.raises(StageFailed, match="`airflow db clean` failed with exit code 1"):
        clean_history(Settings(home=tmp_path, airflow_database_url="postgresql://db.example/a"))


def test_old_log_files_and_empty_folders_are_deleted(tmp_path: Path) -> None:
    logs = tmp_path / "airflow" / "logs"
    ages = {"dag_id=a/run_id=1/1.log": 40, "dag_id=a/run_id=2/1.log": 20, "b/2026/1.log": 40}
    for name, age in ages.items():
        path = logs / name
        path.parent.mkdir(parents=True)
        path.write_text("a line")
        _set_age(path, age)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept.log").write_text("a line")
    _set_age(outside / "kept.log", 400)
    (logs / "latest").symlink_to(outside)
    for folder in (path for path in logs.rglob("*") if path.is_dir()):
        _set_age(folder, 40)
    # The command for machines on which the DAG's task does not run
    command = [sys.executable, "-m", "mirpipe.orchestration.airflow_retention"]
    variables = os.environ | {"MIRPIPE_HOME": str(tmp_path), "MIRPIPE_KEEP_AIRFLOW_DAYS": "30"}
    process = subprocess.run(command, env=variables, capture_output=True, text=True, check=True)
    assert process.stdout == "2 old log files were deleted.\n"
    kept = {str(path.relative_to(logs)) for path in logs.rglob("*") if path.is_file()}
    assert kept == {"dag_id=a/run_id=2/1.log"}
    assert not (logs / "dag_id=a" / "run_id=1").exists()
    assert not (logs / "b").exists()
    assert (outside / "kept.log").exists()
    assert delete_old_logs(Settings(home=tmp_path, keep_airflow_days=30)) == 0
    assert delete_old_logs(Settings(home=tmp_path, keep_airflow_days=10)) == 1


def _set_age(path: Path, days: int) -> None:
    time = path.stat().st_mtime - days * DAYS
    os.utime(path, (time, time))
