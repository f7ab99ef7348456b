"""Preparation of an Airflow whose servers run as separate processes."""

import json
import subprocess
from pathlib import Path

import pytest

from mirpipe.errors import ConfigurationError, MirpipeError
from mirpipe.orchestration import airflow_migration, prepare_airflow
from mirpipe.settings import Settings


class FakeAirflowCli:
    """A fake `airflow` program that records its calls, and stores pools and users."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[list[str]] = []
        self.pools: dict[str, dict[str, object]] = {}
        self.users: dict[str, str] = {}
        self.exit_code = 0
        self.revision: str | None = None
        monkeypatch.setattr(prepare_airflow, "migrate", lambda: None)
        monkeypatch.setattr(prepare_airflow, "airflow_pools", lambda _url: self.slots)
        monkeypatch.setattr(prepare_airflow, "airflow_users", lambda _url: list(self.users))
        monkeypatch.setattr(airflow_migration, "_schema_revision", lambda _url: self.revision)
        monkeypatch.setattr(prepare_airflow.subprocess, "run", self._run)

    def _run(
        self, command: list[str], *, input: str, **_: object
    ) -> subprocess.CompletedProcess[bytes]:
        arguments = command[command.index("airflow") + 1 :]
        self.calls.append(arguments[:2])
        if arguments[:2] == ["pools", "import"]:
            self.pools = json.loads(Path(arguments[2]).read_text())
        elif arguments[:2] == ["users", "create"]:
            name = arguments[arguments.index("--username") + 1]
            first, second = input.split()
            assert first == second
            assert first not in command
            self.users.setdefault(name, first)
        elif not self.exit_code:
            self.revision = "head"
        return subprocess.CompletedProcess(command, self.exit_code)

    @property
    def slots(self) -> dict[str, object]:
        """The pools in the database, with Airflow's own pool."""
        return {"default_pool": 128} | {name: pool["slots"] for name, pool in self.pools.items()}


def connected(home: Path) -> Settings:
    url = "postgresql://host/airflow"
    return Settings(home=home, airflow_database_url=url, airflow_admin_password="chosen")


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch) -> FakeAirflowCli:
    return FakeAirflowCli(monkeypatch)


def test_the_database_is_migrated_before_pools_and_user_are_created(
    cli: FakeAirflowCli, tmp_path: Path
) -> None:
    prepare_airflow.prepare(Settings(home=tmp_path, airflow_admin_password="chosen"))
    assert cli.calls == [["db", "migrate"], ["pools", "import"], ["users", "create"]]
    assert set(cli.pools) == {"stages", "gpu"}
    assert all(not pool["include_deferred"] for pool in cli.pools.values())
    assert cli.users == {"admin": "chosen"}


def test_a_password_for_the_first_user_is_required(cli: FakeAirflowCli, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="MIRPIPE_AIRFLOW_ADMIN_PASSWORD"):
        prepare_airflow.prepare(Settings(home=tmp_path))
    assert cli.calls == []


def test_the_error_names_the_command_that_failed(cli: FakeAirflowCli, tmp_path: Path) -> None:
    cli.exit_code = 1
    with pytest.raises(MirpipeError, match=r"`airflow db migrate` failed with exit code 1"):
        prepare_airflow.prepare(Settings(home=tmp_path, airflow_admin_password="chosen"))


def test_a_second_preparation_runs_no_command_of_airflow(
    cli: FakeAirflowCli, tmp_path: Path
) -> None:
    settings = connected(tmp_path)
    prepare_airflow.prepare(settings)
    cli.calls.clear()
    prepare_airflow.prepare(settings)
    assert cli.calls == []


def test_a_second_preparation_repairs_what_differs(cli: FakeAirflowCli, tmp_path: Path) -> None:
    settings = connected(tmp_path)
    prepare_airflow.prepare(settings)
    cli.calls.clear()
    cli.pools["stages"]["slots"] = 99
    prepare_airflow.prepare(settings)
    assert cli.calls == [["pools", "import"]]
    cli.calls.clear()
    cli.users.clear()
    prepare_airflow.prepare(settings)
    assert cli.calls == [["users", "create"]]
    cli.calls.clear()
    cli.revision = None  # another, empty database
    prepare_airflow.prepare(settings)
    assert cli.calls == [["db", "migrate"]]
