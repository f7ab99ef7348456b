"""What docker-compose.yml starts: Celery, Redis, a worker a queue; one of them is killed."""

import itertools
import os
import re
import socket
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg2
import pytest
import soundfile

from mirpipe.db.embedded_server import embedded_server
from mirpipe.db.psql import psql_url
from mirpipe.orchestration.airflow_rest_client import AirflowClient, DagRun
from mirpipe.postgres.cluster import SUPERUSER
from mirpipe.postgres.embedded import EmbeddedPostgres
from mirpipe.postgres.passwords import passwords
from mirpipe.settings import PROJECT
from tests.deploy.compose import filled_in, needs_program
from tests.e2e.shipped import Shipped
from tests.support.servers import unprovision
from tests.support.waiting import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.celery, pytest.mark.timeout(600), needs_program]

GPU_WORKER = "worker-gpu-without-card"
"""It has the command of worker-gpu, which asks the engine for a card; tests/deploy says so."""
SERVERS = ["api-server", "scheduler", "dag-processor", "worker", GPU_WORKER, "dashboard"]
ON_GPU = {"caption", "generate"}
LIBRARY = [("reference", "West"), ("target", "Jazz 120 BPM"), ("target", "茉莉花（笛子）")]
ATTEMPTS = """
SELECT start_date, end_date, task_id, queue
FROM (
    SELECT dag_id, start_date, end_date, task_id, queue FROM task_instance
    UNION ALL
    SELECT dag_id, start_date, end_date, task_id, queue FROM task_instance_history
) AS attempt
WHERE dag_id = 'generate_music' AND start_date IS NOT NULL
ORDER BY start_date
"""
SECONDS = 8
"""Of each track: enough to be measured."""


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@pytest.fixture
def postgres(short_folder: Path) -> Iterator[EmbeddedPostgres]:
    """A server as its image makes it, with a superuser alone, on a port of 127.0.0.1."""
    server = embedded_server(short_folder / "celery", port=int(free_port()))
    server.up()
    unprovision(server)
    yield server
    server.down()


@pytest.fixture
def shipped(postgres: EmbeddedPostgres, short_folder: Path) -> Iterator[Shipped]:
    """The services, prepared and started in the order that the file says."""
    folder = short_folder / "shipped"
    for name in ("home", "logs", "redis"):
        (folder / name).mkdir(parents=True)
    for collection, title in LIBRARY:
        (folder / "library" / collection).mkdir(parents=True, exist_ok=True)
        source = PROJECT / "demo" / collection / f"{title}.ogg"
        samples, rate = soundfile.read(source, frames=SECONDS * 44100)
        soundfile.write(folder / "library" / collection / f"{title}.wav", samples, rate)
    redis, api, dashboard = free_port(), free_port(), free_port()
    variables = filled_in(
        POSTGRES_PASSWORD=passwords(postgres.folder / "pgpass")[SUPERUSER],
        POSTGRES_HOST="127.0.0.1",
        POSTGRES_PORT=str(postgres.status().port),
        REDIS_HOST="127.0.0.1",
        REDIS_PORT=redis,
        API_HOST="127.0.0.1",
        MIRPIPE_MANIFEST=None,
        MIRPIPE_ENCODERS="musicnn",
        MIRPIPE_MODES='[{"name": "simple", "is_conditioned": false, "guidance": null}]',
        MIRPIPE_BATCH_TRACKS="1",
        MIRPIPE_GENERATE_SECONDS="5",
        MIRPIPE_INGEST_CRON="0 0 1 1 *",
    )
    cache = os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))
    places = {
        "redis-server -": f"redis-server - --bind 127.0.0.1 --port {redis} --dir {folder}/redis",
        "redis-cli": f"redis-cli -p {redis}",
        "api-server:8080": f"127.0.0.1:{api}",
        "127.0.0.1:8080": f"127.0.0.1:{api}",
        "localhost:8080": f"127.0.0.1:{api}",
        "--server.port=8501": f"--server.port={dashboard}",
        "localhost:8501": f"127.0.0.1:{dashboard}",
        "/opt/mirpipe": str(PROJECT),
        "/var/lib/mirpipe/cache": cache,
        "/var/lib/mirpipe": str(folder / "home"),
        "/library": str(folder / "library"),
    }
    found = Shipped(variables, places=places, logs=folder / "logs")
    found.services["api-server"]["environment"]["AIRFLOW__API__PORT"] = api
    # a killed worker is noticed after 10 s of silence, not 30
    noticed = {"AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "10"}
    found.services["scheduler"]["environment"] |= noticed
    # nothing runs but what the test asks for
    asked = {"AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "True"}
    found.services["dag-processor"]["environment"] |= asked
    try:
        found.start("redis")
        found.run("roles")
        eventually(lambda: found.healthy("redis"), seconds=10)
        found.run("init")
        for name in SERVERS:
            found.start(name)
        yield found
    finally:
        print(found.said())
        found.end()


@pytest.fixture
def airflow(shipped: Shipped) -> Iterator[AirflowClient]:
    environment = shipped.environment("init")
    client = AirflowClient(
        environment["AIRFLOW__API__BASE_URL"],
        user="admin",
        password=environment["MIRPIPE_AIRFLOW_ADMIN_PASSWORD"],
    )
    eventually(client.healthy, seconds=120)
    eventually(lambda: client.parsed_at("generate_music"), seconds=60)
    yield client
    client.close()


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    with closing(psycopg2.connect(psql_url(url))) as link, link.cursor() as sql:
        sql.execute(query)
        return sql.fetchall()


def generating(shipped: Shipped) -> bool:
    """Whether a process of the GPU worker is making a clip."""
    for process in shipped.processes(GPU_WORKER):
        with suppress(psutil.Error):  # it has just ended
            if {"mirpipe.cli.main", "generate"} <= set(process.cmdline()):
                return True
    return False


def states(airflow: AirflowClient, run: DagRun, task_id: str) -> list[str | None]:
    return [task.state for task in airflow.tasks(run) if task.task_id == task_id]


def test_a_killed_gpu_worker_loses_nothing_and_no_other_does_its_work(
    shipped: Shipped, airflow: AirflowClient
) -> None:
    for dag_id in ("ingest_library", "generate_music"):
        airflow.unpause(dag_id)
    ingest = airflow.trigger("ingest_library")
    for name in (*SERVERS, "redis"):
        eventually(lambda name=name: shipped.healthy(name), seconds=60)  # type: ignore[misc]
    eventually(lambda: airflow.run(ingest).ended, seconds=120)
    assert airflow.run(ingest).state == "success"
    run = airflow.trigger("generate_music")
    eventually(lambda: generating(shipped) or airflow.run(run).ended, seconds=240)
    shipped.kill(GPU_WORKER)
    reader = shipped.environment("worker")["MIRPIPE_READER_URL"]
    assert rows(reader, "SELECT count(*) FROM generation") == [(0,)]
    assert not shipped.healthy(GPU_WORKER)

    shipped.start(GPU_WORKER)
    eventually(lambda: states(airflow, run, "generate") == ["success"] * 2, seconds=180)

    assert rows(reader, "SELECT count(*) FROM generation") == [(2,)]
    attempts = rows(shipped.environment("init")["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"], ATTEMPTS)
    on_gpu = [attempt for attempt in attempts if attempt[3] == "gpu"]
    killed_once = ["caption", "generate", "generate", "generate"]
    assert sorted(attempt[2] for attempt in on_gpu) == killed_once
    assert all(one[1] <= next_one[0] for one, next_one in itertools.pairwise(on_gpu)), on_gpu
    assert {attempt[2] for attempt in attempts if attempt[3] == "default"}.isdisjoint(ON_GPU)
    received = {
        name: set(re.findall(r"task_id='(\w+)'", shipped.log(name).read_text()))
        for name in ("worker", GPU_WORKER)
    }
    assert received[GPU_WORKER] == ON_GPU
    assert received["worker"].isdisjoint(ON_GPU)
    assert {"targets", "plan_generate"} <= received["worker"]
