"""Airflow's environment is complete, and independent of the caller's Airflow variables."""

from pathlib import Path

import pytest

from mirpipe.orchestration import airflow_home
from mirpipe.settings import PROJECT, Settings

URL = "postgresql+psycopg2://airflow@/airflow"


def environment(home: Path, port: int = 18080) -> dict[str, str]:
    return airflow_home.environment(Settings(home=home), database_url=URL, port=port)


def test_airflow_variables_of_the_caller_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "KubernetesExecutor")
    monkeypatch.setenv("AIRFLOW__SENTRY__SENTRY_ON", "true")
    monkeypatch.setenv("AIRFLOW_HOME", "/elsewhere")
    variables = environment(tmp_path)
    assert variables["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"
    assert variables["AIRFLOW_HOME"] == str(tmp_path / "airflow")
    assert "AIRFLOW__SENTRY__SENTRY_ON" not in variables


def test_the_environment_contains_all_values_that_separate_processes_share(tmp_path: Path) -> None:
    variables = environment(tmp_path, port=18123)
    assert variables["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] == URL
    assert variables["AIRFLOW__CORE__DAGS_FOLDER"] == str(PROJECT / "dags")
    assert variables["AIRFLOW__CORE__LOAD_EXAMPLES"] == "False"
    assert variables["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert variables["AIRFLOW__API__PORT"] == "18123"
    url = "http://127.0.0.1:18123/execution/"
    assert variables["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == url
    assert len(variables["AIRFLOW__API_AUTH__JWT_SECRET"]) == 64


def test_secrets_are_generated_once_and_only_the_owner_can_read_them(tmp_path: Path) -> None:
    first, second = environment(tmp_path), environment(tmp_path)
    assert first == second
    other_home = environment(tmp_path / "b")
    assert first["AIRFLOW__CORE__FERNET_KEY"] != other_home["AIRFLOW__CORE__FERNET_KEY"]
    files = [path for path in (tmp_path / "airflow").iterdir() if path.is_file()]
    assert len(files) == 4
    assert {oct(path.stat().st_mode & 0o777) for path in files} == {"0o600"}
    assert oct((tmp_path / "airflow").stat().st_mode & 0o777) == "0o700"


def test_a_configured_password_replaces_the_generated_one(tmp_path: Path) -> None:
    generated = airflow_home.admin_password(Settings(home=tmp_path))
    settings = Settings(home=tmp_path, airflow_admin_password="chosen")
    assert generated != airflow_home.admin_password(settings) == "chosen"
    assert airflow_home.admin_password(Settings(home=tmp_path)) == "chosen"


def test_the_environment_contains_the_settings(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, references=[tmp_path / "a b", tmp_path / "小"], slots=3)
    variables = airflow_home.environment(settings, database_url=URL, port=1)
    assert variables["MIRPIPE_REFERENCES"] == f"{tmp_path}/a b:{tmp_path}/小"
    assert int(variables["AIRFLOW__CORE__PARALLELISM"]) > 3


def test_this_machine_is_reached_without_a_proxy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "internal.example")
    variables = environment(tmp_path)
    expected = "internal.example,127.0.0.1,localhost"
    assert variables["no_proxy"] == variables["NO_PROXY"] == expected


def test_another_local_address_is_used_by_all_of_airflow(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, bind="127.0.0.2")
    variables = airflow_home.environment(settings, database_url=URL, port=18123)
    assert variables["AIRFLOW__API__HOST"] == "127.0.0.2"
    assert variables["AIRFLOW__API__BASE_URL"] == "http://127.0.0.2:18123"
    url = "http://127.0.0.2:18123/execution/"
    assert variables["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == url
    assert variables["no_proxy"] == "127.0.0.1,localhost,127.0.0.2"
