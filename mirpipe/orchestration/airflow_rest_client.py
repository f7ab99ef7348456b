"""A client of Airflow's REST API: the few calls that the main job needs."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from mirpipe.errors import MirpipeError

ENDED = {"success", "failed"}


@dataclass(frozen=True)
class DagRun:
    """A run of a DAG and how it stands: queued, running, success or failed."""

    dag_id: str
    run_id: str
    state: str
    kind: str
    """scheduled, manual or asset_triggered."""
    queued_at: datetime | None

    @property
    def ended(self) -> bool:
        """It will not change any more."""
        return self.state in ENDED


@dataclass(frozen=True)
class TaskState:
    """A task of a run and how it stands."""

    task_id: str
    map_index: int
    label: str
    """What a mapped task calls itself; empty otherwise."""
    state: str | None
    try_number: int


class AirflowClient:
    """Talks to one API server as one user; every failed call raises MirpipeError."""

    def __init__(self, url: str, *, user: str, password: str) -> None:
        self.url = url
        self._login = {"username": user, "password": password}
        # a proxy of the user's has no business on this machine
        self._http = httpx.Client(base_url=url, timeout=30, trust_env=False)
        self._token = ""

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def healthy(self) -> bool:
        """The API server answers, to tasks too, and the two others have reported in."""
        try:
            # The first call builds what tasks talk to, which takes seconds: better while the
            # scheduler is still loading than while the first task waits.
            tasks = self._http.get("/execution/health/ping", timeout=60)
            answer = self._http.get("/api/v2/monitor/health")
        except httpx.TransportError:
            return False
        if not (tasks.is_success and answer.is_success):
            return False
        parts = answer.json()
        return all(
            (parts.get(part) or {}).get("status") == "healthy"
            for part in ("metadatabase", "scheduler", "dag_processor")
        )

    def make_pools(self, pools: Mapping[str, int]) -> None:
        """Has every pool exist with its number of slots."""
        entities = [{"name": name, "slots": slots} for name, slots in pools.items()]
        action = {"action": "create", "entities": entities, "action_on_existence": "overwrite"}
        self._call("PATCH", "/pools", json={"actions": [action]})

    def parsed_at(self, dag_id: str) -> datetime | None:
        """When the DAG's file was last read; None where Airflow does not know it yet."""
        found = self._call("GET", "/dags", params={"dag_id_pattern": dag_id})["dags"]
        times = [_time(dag["last_parsed_time"]) for dag in found if dag["dag_id"] == dag_id]
        return times[0] if times else None

    def import_errors(self) -> list[str]:
        """What is wrong with DAG files that Airflow could not read."""
        return [
            error["stack_trace"] for error in self._call("GET", "/importErrors")["import_errors"]
        ]

    def unpause(self, dag_id: str) -> None:
        """Lets the DAG's schedule run."""
        self._call("PATCH", f"/dags/{dag_id}", json={"is_paused": False})

    def trigger(self, dag_id: str) -> DagRun:
        """A new run of the DAG."""
        return _run(self._call("POST", f"/dags/{dag_id}/dagRuns", json={"logical_date": None}))

    def runs(self, dag_id: str, *, limit: int = 20) -> list[DagRun]:
        """The DAG's latest runs, newest first."""
        asked = {"limit": limit, "order_by": "-id"}
        found = self._call("GET", f"/dags/{dag_id}/dagRuns", params=asked)
        return [_run(one) for one in found["dag_runs"]]

    def run(self, run: DagRun) -> DagRun:
        """The run as it stands now."""
        return _run(self._call("GET", f"/dags/{run.dag_id}/dagRuns/{run.run_id}"))

    def fail(self, run: DagRun, *, note: str) -> None:
        """Ends a run whose tasks nobody works on any more."""
        where = f"/dags/{run.dag_id}/dagRuns/{run.run_id}"
        self._call("PATCH", where, json={"state": "failed", "note": note})

    def tasks(self, run: DagRun) -> list[TaskState]:
        """Every task of the run."""
        where = f"/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances"
        tasks: list[TaskState] = []
        while True:
            page = self._call("GET", where, params={"limit": 100, "offset": len(tasks)})
            tasks += map(_task, page["task_instances"])
            if not page["task_instances"] or len(tasks) >= page["total_entries"]:
                return tasks

    def _call(self, method: str, path: str, **options: Any) -> Any:
        answer = self._send(method, path, **options)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            self._token = ""
            answer = self._send(method, path, **options)
        if answer.is_error:
            raise MirpipeError(
                f"Airflow refused {method} {path} ({answer.status_code}): {answer.text[:500]}"
            )
        return answer.json() if answer.content else None

    def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            if not self._token:
                answer = self._http.post("/auth/token", json=self._login).raise_for_status()
                self._token = answer.json()["access_token"]
            bearer = {"Authorization": f"Bearer {self._token}"}
            return self._http.request(method, f"/api/v2{path}", headers=bearer, **options)
        except httpx.HTTPError as error:
            raise MirpipeError(
                f"Airflow's API server at {self.url} does not answer: {error}"
            ) from error


def wait_for(
    condition: Callable[[], bool], *, seconds: float, what: str, alive: Callable[[], None]
) -> None:
    """Waits until the condition holds; `alive` raises where waiting has become pointless."""
    deadline = time.monotonic() + seconds
    while not condition():
        alive()
        if time.monotonic() > deadline:
            raise MirpipeError(f"{what} did not happen within {seconds:g} s")
        time.sleep(0.2)


def _run(found: Mapping[str, Any]) -> DagRun:
    return DagRun(
        found["dag_id"],
        found["dag_run_id"],
        found["state"],
        found["run_type"],
        _time(found["queued_at"]) if found["queued_at"] else None,
    )


def _task(found: Mapping[str, Any]) -> TaskState:
    label = found["rendered_map_index"] or ""
    return TaskState(
        found["task_id"],
        found["map_index"],
        "" if label == str(found["map_index"]) else label,  # its number, until it has run
        found["state"],
        found["try_number"],
    )


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
