"""Preparation of an Airflow whose servers run as separate processes."""

import json
import subprocess
from pathlib import Path

import pytest

from mirpipe.errors import MirpipeError
from mirpipe.orchestration import airflow_migration, prepare_airflow
from mirpipe.settings import Settings


class FakeAirflowCli:
    """A fake `airflow` program that records its calls and the imported pools."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[list[str]] = []
        self.pools: dict[str, dict[str, object]] = {}
        self.exit_code = 0
        self.revision: str | None = None
        monkeypatch.setattr(prepare_airflow, "migrate", lambda: None)
        monkeypatch.setattr(prepare_airflow, "airflow_pools", lambda _url: self.slots)
        monkeypatch.setattr(airflow_migration, "_schema_revision", lambda _url: self.revision)
        monkeypatch.setattr(prepare_airflow.subprocess, "run", self._run)

    def _run(self, command: list[str], **_: object) -> subprocess.CompletedProcess[bytes]:
        arguments = command[command.index("airflow") + 1 :]
        self.calls.append(arguments[:2])
        if arguments[:2] == ["pools", "import"]:
            self.pools = json.loads(Path(arguments[2]).read_text())
        elif not self.exit_code:
            self.revision = "head"
        return subprocess.CompletedProcess(command, self.exit_code)

    @property
    def slots(self) -> dict[str, object]:
        """The pools in the database, with Airflow's own pool."""
        return {"default_pool": 128} | {name: pool["slots"] for name, pool in self.pools.items()}


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch) -> FakeAirflowCli:
    return FakeAirflowCli(monkeypatch)


def test_the_database_is_migrated_before_the_pools_are_created(
    cli: FakeAirflowCli, tmp_path: Path
) -> None:
    prepare_airflow.prepare(Settings(home=tmp_path))
    assert cli.calls == [["db", "migrate"], ["pools", "import"]]
    assert set(cli.pools) == {"stages", "gpu"}
    assert all(not pool["include_deferred"] for pool in cli.pools.values())
    assert (tmp_path / "airflow" / "passwords.json").exists()


def test_the_error_names_the_command_that_failed(cli: FakeAirflowCli, tmp_path: Path) -> None:
    cli.exit_code = 1
    with pytest.raises(MirpipeError, match=r"`airflow db migrate` failed with exit code 1"):
        prepare_airflow.prepare(Settings(home=tmp_path))


def test_a_second_preparation_runs_no_command_of_airflow(
    cli: FakeAirflowCli, tmp_path: Path
) -> None:
    settings = Settings(home=tmp_path, airflow_database_url="postgresql://host/airflow")
    prepare_airflow.prepare(settings)
    cli.calls.clear()
    prepare_airflow.prepare(settings)
    assert cli.calls == []


def test_a_second_preparation_repairs_what_differs(cli: FakeAirflowCli, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, airflow_database_url="postgresql://host/airflow")
    prepare_airflow.prepare(settings)
    cli.calls.clear()
    cli.pools["stages"]["slots"] = 99
    prepare_airflow.prepare(settings)
    assert cli.calls == [["pools", "import"]]
    cli.calls.clear()
    cli.revision = None  # another, empty database
    prepare_airflow.prepare(settings)
    assert cli.calls == [["db", "migrate"]]
