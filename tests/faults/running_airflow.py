"""A real Airflow that tests can disturb, with methods that read its metadata database.

The metadata database can be read even while the API server is stopped or killed.
"""

import json
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import psutil
from sqlalchemy import Engine, Row, text

from mirpipe.orchestration.airflow_cli import airflow_command
from mirpipe.orchestration.airflow_rest_client import AirflowClient
from mirpipe.orchestration.local_airflow import API_SERVER, DAG_PROCESSOR
from mirpipe.orchestration.server_processes import Servers
from mirpipe.settings import Settings
from tests.support.waiting import eventually

DONE_SECONDS = 240
"""Longest time for a DAG run with one retry, on two busy cores."""


@dataclass(frozen=True)
class RunningAirflow:
    """Airflow's servers, a client of the API server, and the two databases."""

    settings: Settings
    servers: Servers
    client: AirflowClient
    environment: dict[str, str]
    """Environment of Airflow's servers."""
    metadata: Engine
    """Airflow's metadata database."""
    music: Engine
    """mirpipe's database."""

    def stop_api_server(self, sign: signal.Signals) -> None:
        """Send the signal to the API server and its child processes."""
        processes = self._processes("api-server")
        for process in processes:
            process.send_signal(sign)
        if sign == signal.SIGKILL:
            psutil.wait_procs(processes, timeout=10)

    def start_api_server(self) -> None:
        """Start a killed API server again, and wait until Airflow is healthy."""
        self.servers.start(API_SERVER, airflow_command("api-server"), self.environment)
        eventually(self.client.is_healthy, seconds=DONE_SECONDS)

    def restart_dag_processor(self, **variables: str) -> None:
        """Start another DAG processor, with additional environment variables."""
        processes = self._processes("dag-processor")
        for process in processes:
            process.kill()
        psutil.wait_procs(processes, timeout=10)
        self.servers.start(
            DAG_PROCESSOR, airflow_command("dag-processor"), self.environment | variables
        )

    def mirpipe(self, *arguments: str) -> str:
        """Run the command with the settings of this Airflow, and return its output."""
        command = [sys.executable, "-m", "mirpipe.cli.main", *arguments]
        process = subprocess.run(command, env=self.environment, capture_output=True, text=True)
        assert process.returncode == 0, process.stdout + process.stderr
        return process.stdout

    def set_paused(self, dag_id: str, *, paused: bool) -> None:
        """Pause the DAG, or activate its schedule."""
        self.client._call("PATCH", f"/dags/{dag_id}", json={"is_paused": paused})

    def announce(self, asset: str) -> None:
        """Create an event of the asset, as a task that updates it does."""
        (asset_id,) = self.rows("SELECT id FROM asset WHERE name = :asset", asset=asset)
        self.client._call("POST", "/assets/events", json={"asset_id": asset_id.id, "extra": {}})

    def runs(self, dag_id: str, *, kind: str = "%") -> list[str]:
        """Return the states of the DAG's runs, oldest first."""
        rows = self.rows(
            "SELECT state FROM dag_run WHERE dag_id = :dag_id AND run_type LIKE :kind ORDER BY id",
            dag_id=dag_id,
            kind=kind,
        )
        return [row.state for row in rows]

    def all_succeed(self, dag_id: str, *, number: int) -> bool:
        """Return whether the DAG has `number` runs and all of them succeeded."""
        states = self.runs(dag_id)
        assert "failed" not in states, self.problems()
        return states == ["success"] * number

    def is_idle(self, dag_id: str) -> bool:
        """Return whether the DAG has no run that is queued or running."""
        return not {"queued", "running"} & set(self.runs(dag_id))

    def has_no_run_soon(self, dag_id: str) -> bool:
        """Return whether the next scheduled run of the DAG is more than a minute away."""
        (row,) = self.rows(
            "SELECT next_dagrun_create_after > now() + interval '1 minute' AS is_later "
            "FROM dag WHERE dag_id = :dag_id",
            dag_id=dag_id,
        )
        return bool(row.is_later)

    def tasks(self, dag_id: str, task_id: str = "%") -> list[Row[Any]]:
        """Return state, number of the last try and seconds since the heartbeat of each task.

        Only tasks that were queued at least once are returned.
        """
        return self.rows(
            "SELECT task_id, state, try_number, "
            "extract(epoch FROM now() - last_heartbeat_at) AS silent_seconds "
            "FROM task_instance WHERE dag_id = :dag_id AND task_id LIKE :task_id "
            "AND queued_dttm IS NOT NULL ORDER BY id",
            dag_id=dag_id,
            task_id=task_id,
        )

    def tries_in_first_run(self, dag_id: str) -> list[int]:
        """Return the number of tries of each task in the DAG's first run."""
        rows = self.rows(
            "SELECT try_number FROM task_instance WHERE queued_dttm IS NOT NULL AND run_id = "
            "(SELECT run_id FROM dag_run WHERE dag_id = :dag_id ORDER BY id LIMIT 1)",
            dag_id=dag_id,
        )
        return [row.try_number for row in rows]

    def is_running(self, dag_id: str, task_id: str = "%") -> bool:
        """Return whether Airflow shows such a task as running."""
        return any(task.state == "running" for task in self.tasks(dag_id, task_id))

    def events(self, name: str) -> list[Row[Any]]:
        """Return Airflow's log entries with this name."""
        return self.rows(
            "SELECT dag_id, task_id, map_index, try_number, extra FROM log WHERE event = :name",
            name=name,
        )

    def problems(self) -> str:
        """Return what Airflow recorded about tasks that it gave up or tries again."""
        found = self.rows(
            "SELECT dag_id, task_id, map_index, state, try_number FROM task_instance "
            "WHERE try_number > 1 OR state IN ('failed', 'upstream_failed', 'up_for_retry')"
        )
        events = [*self.events("heartbeat timeout"), *self.events("state mismatch")]
        return json.dumps([list(row) for row in [*found, *events]], indent=1, default=str)

    def rows(self, query: str, **values: Any) -> list[Row[Any]]:
        """Return the rows that the query selects in Airflow's metadata database."""
        with self.metadata.connect() as connection:
            return list(connection.execute(text(query), values))

    def clips(self) -> dict[str, int]:
        """Return the number of clips per target."""
        with self.music.connect() as connection:
            rows = connection.execute(
                text(
                    "SELECT target.title, count(*) AS clips FROM mirpipe.generation "
                    "JOIN mirpipe.track target ON target.track_id = generation.target_id "
                    "GROUP BY 1"
                )
            )
            return {row.title: row.clips for row in rows}

    def _processes(self, component: str) -> list[psutil.Process]:
        # The API server replaces its command line by the title `airflow api_server`.
        roots = [
            process
            for process in psutil.Process().children()
            if component in " ".join(process.cmdline()).replace("_", "-")
        ]
        assert roots, f"{component} is not running"
        return [process for root in roots for process in (*root.children(recursive=True), root)]
