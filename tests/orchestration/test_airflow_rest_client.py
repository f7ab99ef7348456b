"""The client of Airflow's REST API: who it is, what it says when it is refused, many pages."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from mirpipe.errors import MirpipeError
from mirpipe.orchestration.airflow_rest_client import AirflowClient, DagRun

RUN = DagRun("evaluate_retrieval", "manual__1", "running", "manual", None)

Handler = Callable[[httpx.Request], httpx.Response]


def client(handler: Handler) -> AirflowClient:
    made = AirflowClient("http://airflow", user="admin", password="open")
    made._http = httpx.Client(base_url="http://airflow", transport=httpx.MockTransport(handler))
    return made


class Server:
    """Gives out tokens that are good for `lasts` calls; answers with `answer`."""

    def __init__(self, answer: Handler, *, lasts: int = 100) -> None:
        self._answer = answer
        self._lasts = lasts
        self._left = 0
        self.logins: list[Any] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/auth/token":
            self.logins.append(json.loads(request.content))
            self._left = self._lasts
            return httpx.Response(201, json={"access_token": f"token {len(self.logins)}"})
        if not self._left:
            return httpx.Response(401)
        assert request.headers["authorization"] == f"Bearer token {len(self.logins)}"
        self._left -= 1
        return self._answer(request)


def test_it_logs_in_once_and_again_when_its_token_is_no_longer_good() -> None:
    server = Server(lambda _request: httpx.Response(200, json={}), lasts=2)
    airflow = client(server)
    for _ in range(5):
        airflow.unpause("ingest_library")
    assert server.logins == [{"username": "admin", "password": "open"}] * 3


def test_a_refusal_says_what_was_asked_and_what_was_answered() -> None:
    airflow = client(Server(lambda _request: httpx.Response(404, text="no such DAG")))
    with pytest.raises(MirpipeError, match=r"PATCH /dags/nothing \(404\): no such DAG"):
        airflow.unpause("nothing")


def test_a_server_that_is_gone_is_named() -> None:
    def gone(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("connection refused", request=request)

    airflow = client(gone)
    with pytest.raises(MirpipeError, match="http://airflow does not answer: connection refused"):
        airflow.trigger("ingest_library")
    assert not airflow.healthy()


def test_every_task_of_a_long_run_is_there() -> None:
    everything = [
        {
            "task_id": "embed",
            "map_index": number,
            "rendered_map_index": str(number) if number else "signal, 64 tracks",
            "state": "success",
            "try_number": 1,
        }
        for number in range(230)
    ]

    def page(request: httpx.Request) -> httpx.Response:
        offset = int(request.url.params["offset"])
        found = everything[offset : offset + int(request.url.params["limit"])]
        return httpx.Response(200, json={"task_instances": found, "total_entries": 230})

    tasks = client(Server(page)).tasks(RUN)
    assert [task.map_index for task in tasks] == list(range(230))
    assert [task.label for task in tasks[:2]] == ["signal, 64 tracks", ""]


def test_healthy_needs_every_part() -> None:
    parts = {"metadatabase": "healthy", "scheduler": "healthy", "dag_processor": None}

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith("/execution"):
            return httpx.Response(200)
        return httpx.Response(200, json={name: {"status": state} for name, state in parts.items()})

    airflow = client(answer)
    assert not airflow.healthy()
    parts["dag_processor"] = "healthy"
    assert airflow.healthy()
