"""Airflow's environment: complete, explicit, and nobody else's."""

from pathlib import Path

import pytest

from mirpipe.orchestration import airflow_home
from mirpipe.settings import PROJECT, Settings

URL = "postgresql+psycopg2://airflow@/airflow"


def environment(home: Path, port: int = 18080) -> dict[str, str]:
    return airflow_home.environment(Settings(home=home), database_url=URL, port=port)


def test_nothing_of_the_callers_airflow_gets_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "KubernetesExecutor")
    monkeypatch.setenv("AIRFLOW__SENTRY__SENTRY_ON", "true")
    monkeypatch.setenv("AIRFLOW_HOME", "/elsewhere")
    found = environment(tmp_path)
    assert found["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"
    assert found["AIRFLOW_HOME"] == str(tmp_path / "airflow")
    assert "AIRFLOW__SENTRY__SENTRY_ON" not in found


def test_it_says_all_that_separate_processes_must_agree_on(tmp_path: Path) -> None:
    found = environment(tmp_path, port=18123)
    assert found["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] == URL
    assert found["AIRFLOW__CORE__DAGS_FOLDER"] == str(PROJECT / "dags")
    assert found["AIRFLOW__CORE__LOAD_EXAMPLES"] == "False"
    assert found["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert found["AIRFLOW__API__PORT"] == "18123"
    assert found["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://127.0.0.1:18123/execution/"
    assert len(found["AIRFLOW__API_AUTH__JWT_SECRET"]) == 64


def test_secrets_are_made_once_and_are_the_owners_alone(tmp_path: Path) -> None:
    first, second = environment(tmp_path), environment(tmp_path)
    assert first == second
    assert (
        first["AIRFLOW__CORE__FERNET_KEY"]
        != environment(tmp_path / "b")["AIRFLOW__CORE__FERNET_KEY"]
    )
    files = [path for path in (tmp_path / "airflow").iterdir() if path.is_file()]
    assert len(files) == 4
    assert {oct(path.stat().st_mode & 0o777) for path in files} == {"0o600"}
    assert oct((tmp_path / "airflow").stat().st_mode & 0o777) == "0o700"


def test_a_password_that_is_set_takes_the_place_of_the_one_that_was_made(tmp_path: Path) -> None:
    made = airflow_home.admin_password(Settings(home=tmp_path))
    chosen = Settings(home=tmp_path, airflow_admin_password="chosen")
    assert made != airflow_home.admin_password(chosen) == "chosen"
    assert airflow_home.admin_password(Settings(home=tmp_path)) == "chosen"


def test_the_settings_go_along(tmp_path: Path) -> None:
    chosen = Settings(home=tmp_path, references=[tmp_path / "a b", tmp_path / "小"], slots=3)
    found = airflow_home.environment(chosen, database_url=URL, port=1)
    assert found["MIRPIPE_REFERENCES"] == f"{tmp_path}/a b:{tmp_path}/小"
    assert int(found["AIRFLOW__CORE__PARALLELISM"]) > 3


def test_a_proxy_is_not_asked_for_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "internal.example")
    found = environment(tmp_path)
    assert found["no_proxy"] == found["NO_PROXY"] == "internal.example,127.0.0.1,localhost"
