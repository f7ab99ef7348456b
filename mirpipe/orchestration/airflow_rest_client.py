"""Client for Airflow's public REST API (version 2), with the calls that the main job needs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from mirpipe.errors import MirpipeError

FINAL_STATES = {"success", "failed"}
TIMEOUT_SECONDS = 300
"""Time for one request. On an overloaded machine, a request was seen to take 30 s."""


@dataclass(frozen=True)
class DagRun:
    """A run of a DAG."""

    dag_id: str
    run_id: str
    state: str
    """`queued`, `running`, `success` or `failed`."""
    run_type: str
    """`scheduled`, `manual` or `asset_triggered`."""
    queued_at: datetime | None

    @property
    def has_ended(self) -> bool:
        """Whether the state is final."""
        return self.state in FINAL_STATES


@dataclass(frozen=True)
class TaskState:
    """State of one task in a DAG run."""

    task_id: str
    map_index: int
    """Index of a mapped task, counted from 0; -1 for other tasks."""
    label: str
    """Description of a mapped task, such as "signal, 64 tracks"; empty for other tasks."""
    state: str | None
    try_number: int
    ended_at: datetime | None = None


class AirflowClient:
    """A client for one API server, logged in as one user. Failed calls raise MirpipeError."""

    def __init__(self, url: str, *, user: str, password: str) -> None:
        self.url = url
        self._login = {"username": user, "password": password}
        # trust_env=False: the server is on this machine, so a configured proxy must not be used.
        self._http = httpx.Client(base_url=url, timeout=TIMEOUT_SECONDS, trust_env=False)
        self._token = ""

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def is_healthy(self) -> bool:
        """Return whether the API server, database, scheduler and DAG processor are all healthy."""
        try:
            # The first call to the Execution API takes seconds, and should finish before the first
            # task needs that API. No call of the public API starts the Execution API.
            execution_api = self._http.get("/execution/health/ping")
            health = self._http.get("/api/v2/monitor/health")
        except httpx.TransportError:
            return False
        if not (execution_api.is_success and health.is_success):
            return False
        components = health.json()
        return all(
            (components.get(name) or {}).get("status") == "healthy"
            for name in ("metadatabase", "scheduler", "dag_processor")
        )

    def set_pools(self, slots: Mapping[str, int]) -> None:
        """Create each pool with its number of slots, or update it."""
        entities = [{"name": name, "slots": number} for name, number in slots.items()]
        action = {"action": "create", "entities": entities, "action_on_existence": "overwrite"}
        self._call("PATCH", "/pools", json={"actions": [action]})

    def last_parsed_at(self, dag_id: str) -> datetime | None:
        """Return when Airflow last parsed the DAG's file, or None if it has not been parsed yet."""
        dags = self._call("GET", "/dags", params={"dag_id_pattern": dag_id})["dags"]
        times = [_datetime(dag["last_parsed_time"]) for dag in dags if dag["dag_id"] == dag_id]
        return times[0] if times else None

    def import_errors(self) -> list[str]:
        """Return the stack trace of each DAG file that Airflow cannot import."""
        errors = self._call("GET", "/importErrors")["import_errors"]
        return [error["stack_trace"] for error in errors]

    def unpause(self, dag_id: str) -> None:
        """Activate the schedule of the DAG."""
        self._call("PATCH", f"/dags/{dag_id}", json={"is_paused": False})

    def trigger(self, dag_id: str) -> DagRun:
        """Start a manual run of the DAG and return it."""
        return _dag_run(self._call("POST", f"/dags/{dag_id}/dagRuns", json={"logical_date": None}))

    def latest_runs(self, dag_id: str, *, limit: int = 20) -> list[DagRun]:
        """Return the latest runs of the DAG, newest first."""
        params = {"limit": limit, "order_by": "-id"}
        answer = self._call("GET", f"/dags/{dag_id}/dagRuns", params=params)
        return [_dag_run(run) for run in answer["dag_runs"]]

    def refresh(self, run: DagRun) -> DagRun:
        """Query the run again, and return it with its current state."""
        return _dag_run(self._call("GET", f"/dags/{run.dag_id}/dagRuns/{run.run_id}"))

    def mark_failed(self, run: DagRun, *, note: str) -> None:
        """Set the run's state to `failed`, and add a note that Airflow shows."""
        path = f"/dags/{run.dag_id}/dagRuns/{run.run_id}"
        self._call("PATCH", path, json={"state": "failed", "note": note})

    def task_states(self, run: DagRun) -> list[TaskState]:
        """Return the state of every task in the run."""
        path = f"/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances"
        tasks: list[TaskState] = []
        while True:
            page = self._call("GET", path, params={"limit": 100, "offset": len(tasks)})
            tasks += map(_task_state, page["task_instances"])
            if not page["task_instances"] or len(tasks) >= page["total_entries"]:
                return tasks

    def _call(self, method: str, path: str, **options: Any) -> Any:
        """Send a request and return the decoded JSON of the response.

        If the token has expired, log in again first.
        """
        answer = self._send(method, path, **options)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            self._token = ""
            answer = self._send(method, path, **options)
        if answer.is_error:
            raise MirpipeError(
                f"Airflow rejected the request {method} {path} ({answer.status_code}): "
                f"{answer.text[:500]}\nThe log of Airflow's API server may show the cause."
            )
        return answer.json() if answer.content else None

    def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            if not self._token:
                answer = self._http.post("/auth/token", json=self._login).raise_for_status()
                self._token = answer.json()["access_token"]
            authorization = {"Authorization": f"Bearer {self._token}"}
            return self._http.request(method, f"/api/v2{path}", headers=authorization, **options)
        except httpx.HTTPError as error:
            raise MirpipeError(
                f"Airflow's API server at {self.url} does not answer: {error}. "
                "Check that it is running."
            ) from error


def _dag_run(values: Mapping[str, Any]) -> DagRun:
    return DagRun(
        values["dag_id"],
        values["dag_run_id"],
        values["state"],
        values["run_type"],
        _datetime(values["queued_at"]) if values["queued_at"] else None,
    )


def _task_state(values: Mapping[str, Any]) -> TaskState:
    label = values["rendered_map_index"] or ""
    return TaskState(
        values["task_id"],
        values["map_index"],
        # Before a mapped task runs, Airflow uses the task's index as its label.
        "" if label == str(values["map_index"]) else label,
        values["state"],
        values["try_number"],
        _datetime(values["end_date"]) if values["end_date"] else None,
    )


def _datetime(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
