"""The client for Airflow's REST API: login, error messages, and lists with several pages."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from mirpipe.errors import MirpipeError
from mirpipe.orchestration.airflow_rest_client import AirflowClient, DagRun

RUN = DagRun("evaluate_retrieval", "manual__1", "running", "manual", None)

Handler = Callable[[httpx.Request], httpx.Response]


def client(handler: Handler) -> AirflowClient:
    airflow = AirflowClient("http://airflow", user="admin", password="open")
    transport = httpx.MockTransport(handler)
    airflow._http = httpx.Client(base_url="http://airflow", transport=transport)
    return airflow


class Server:
    """A fake server whose tokens expire after several calls. `answer` answers the calls."""

    def __init__(self, answer: Handler, *, calls_per_token: int = 100) -> None:
        self._answer = answer
        self._calls_per_token = calls_per_token
        self._calls_left = 0
        self.logins: list[Any] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/auth/token":
            self.logins.append(json.loads(request.content))
            self._calls_left = self._calls_per_token
            return httpx.Response(201, json={"access_token": f"token {len(self.logins)}"})
        if not self._calls_left:
            return httpx.Response(401)
        assert request.headers["authorization"] == f"Bearer token {len(self.logins)}"
        self._calls_left -= 1
        return self._answer(request)


def test_the_client_logs_in_again_when_its_token_has_expired() -> None:
    server = Server(lambda _request: httpx.Response(200, json={}), calls_per_token=2)
    airflow = client(server)
    for _ in range(5):
        airflow.unpause("ingest_library")
    assert server.logins == [{"username": "admin", "password": "open"}] * 3


def test_the_error_of_a_rejected_request_contains_request_and_answer() -> None:
    airflow = client(Server(lambda _request: httpx.Response(404, text="no such DAG")))
    with pytest.raises(MirpipeError, match=r"PATCH /dags/nothing \(404\): no such DAG"):
        airflow.unpause("nothing")


def test_the_error_names_a_server_that_does_not_answer() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("connection refused", request=request)

    airflow = client(refuse)
    with pytest.raises(MirpipeError, match="http://airflow does not answer: connection refused"):
        airflow.trigger("ingest_library")
    assert not airflow.is_healthy()


def test_tasks_are_read_from_all_pages() -> None:
    all_tasks = [
        {
            "task_id": "embed",
            "map_index": number,
            "rendered_map_index": str(number) if number else "signal, 64 tracks",
            "state": "success",
            "try_number": 1,
            "end_date": "2026-01-02T03:04:05Z" if number else None,
        }
        for number in range(230)
    ]

    def page(request: httpx.Request) -> httpx.Response:
        offset = int(request.url.params["offset"])
        tasks = all_tasks[offset : offset + int(request.url.params["limit"])]
        return httpx.Response(200, json={"task_instances": tasks, "total_entries": 230})

    tasks = client(Server(page)).task_states(RUN)
    assert [task.map_index for task in tasks] == list(range(230))
    assert [task.label for task in tasks[:2]] == ["signal, 64 tracks", ""]
    ended_at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert [task.ended_at for task in tasks[:2]] == [None, ended_at]


def test_airflow_is_healthy_only_if_every_component_is() -> None:
    components = {"metadatabase": "healthy", "scheduler": "healthy", "dag_processor": None}

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith("/execution"):
            return httpx.Response(200)
        health = {name: {"status": state} for name, state in components.items()}
        return httpx.Response(200, json=health)

    airflow = client(answer)
    assert not airflow.is_healthy()
    components["dag_processor"] = "healthy"
    assert airflow.is_healthy()
