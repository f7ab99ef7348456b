"""Celery, Redis and one worker per queue run as in docker-compose.yml, and a worker is killed."""

import itertools
import os
import re
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psutil
import pytest
import soundfile
from sqlalchemy import create_engine, text

from mirpipe.db.embedded_server_roles import embedded_server
from mirpipe.orchestration.airflow_rest_client import AirflowClient, DagRun
from mirpipe.postgres.create_cluster import SUPERUSER
from mirpipe.postgres.embedded import EmbeddedPostgres
from mirpipe.postgres.passwords import read_passwords
from mirpipe.settings import PROJECT
from tests.deploy.compose import env_file, needs_program
from tests.e2e.compose_services import ComposeServices
from tests.support.otel_collector import Values, otel_collector
from tests.support.servers import unprovision
from tests.support.waiting import eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600), needs_program]

GPU_WORKER = "worker-gpu"
SERVERS = [
    *("api-server", "scheduler", "dag-processor", "triggerer"),
    *("worker", GPU_WORKER, "dashboard"),
]
LARGE_TASKS = ("caption_on_gpu", "generate_on_gpu")
SUPPORT = PROJECT / "tests" / "support"
GPU_PLUGINS = str(SUPPORT / "gpu_plugins")
LIBRARY = [("reference", "West"), ("target", "Jazz 120 BPM"), ("target", "茉莉花（笛子）")]
SECONDS = 8
"""Length of each track, long enough for the analysis."""


@dataclass(frozen=True)
class Attempt:
    """One attempt to run a task."""

    task_id: str
    queue: str
    start: datetime
    end: datetime | None
    """None while the attempt is running."""


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@pytest.fixture
def postgres(short_folder: Path) -> Iterator[EmbeddedPostgres]:
    """A database server that has only a superuser, as in its image, on a port of 127.0.0.1."""
    server = embedded_server(short_folder / "celery", port=int(free_port()))
    server.up()
    unprovision(server)
    yield server
    server.down()


@pytest.fixture
def collector() -> Iterator[tuple[str, Values]]:
    """The endpoint of an OpenTelemetry collector, and what it has received."""
    with otel_collector() as running:
        yield running


@pytest.fixture
def services(
    postgres: EmbeddedPostgres, collector: tuple[str, Values], short_folder: Path
) -> Iterator[ComposeServices]:
    """The services in docker-compose.yml, started in the order of the file."""
    folder = short_folder / "services"
    for name in ("home", "logs", "redis"):
        (folder / name).mkdir(parents=True)
    for collection, title in LIBRARY:
        (folder / "library" / collection).mkdir(parents=True, exist_ok=True)
        source = PROJECT / "demo" / collection / f"{title}.ogg"
        samples, rate = soundfile.read(source, frames=SECONDS * 44100)
        soundfile.write(folder / "library" / collection / f"{title}.wav", samples, rate)
    redis, api, dashboard = free_port(), free_port(), free_port()
    variables = env_file(
        POSTGRES_PASSWORD=read_passwords(postgres.folder / "pgpass")[SUPERUSER],
        POSTGRES_HOST="127.0.0.1",
        POSTGRES_PORT=str(postgres.status().port),
        REDIS_HOST="127.0.0.1",
        REDIS_PORT=redis,
        API_HOST="127.0.0.1",
        AIRFLOW_METRICS="True",
        OTEL_EXPORTER_OTLP_ENDPOINT=collector[0],
        OTEL_EXPORTER_OTLP_PROTOCOL="http/protobuf",
        MIRPIPE_MANIFEST=None,
        COMPOSE_PROFILES="postgres,gpu",
        MIRPIPE_GPU_WORKERS="true",
        MIRPIPE_ENCODERS="musicnn,signal_on_gpu",
        MIRPIPE_CAPTIONER="features_on_gpu",
        MIRPIPE_GENERATORS="resynth_on_gpu",
        MIRPIPE_MODES='[{"name": "simple", "is_conditioned": false, "guidance": null}]',
        MIRPIPE_BATCH_TRACKS="1",
        MIRPIPE_GENERATE_SECONDS="5",
        MIRPIPE_INGEST_CRON="0 0 1 1 *",
    )
    cache = os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))
    replacements = {
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
    compose = ComposeServices(variables, replacements=replacements, logs=folder / "logs")
    compose.services["api-server"]["environment"]["AIRFLOW__API__PORT"] = api
    # Only the GPU worker has torch, which these plug-ins need.
    compose.services["worker"]["environment"]["PYTHONPATH"] = GPU_PLUGINS
    with_torch = os.pathsep.join([GPU_PLUGINS, str(SUPPORT / "fake_torch")])
    compose.services[GPU_WORKER]["environment"]["PYTHONPATH"] = with_torch
    # A dead worker is noticed after 10 s instead of 5 minutes, to save time.
    timeout = {"AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "10"}
    compose.services["scheduler"]["environment"] |= timeout
    # No DAG should run except those that the test starts.
    paused = {"AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "True"}
    compose.services["dag-processor"]["environment"] |= paused
    try:
        compose.start("redis")
        compose.run("roles")
        eventually(lambda: compose.is_healthy("redis"), seconds=10)
        compose.run("init")
        for name in SERVERS:
            compose.start(name)
        yield compose
    finally:
        print(compose.log_ends())
        compose.stop_all()


@pytest.fixture
def airflow(services: ComposeServices) -> Iterator[AirflowClient]:
    environment = services.environment("init")
    client = AirflowClient(
        environment["AIRFLOW__API__BASE_URL"],
        user="admin",
        password=environment["MIRPIPE_AIRFLOW_ADMIN_PASSWORD"],
    )
    eventually(client.is_healthy, seconds=120)
    eventually(lambda: client.last_parsed_at("generate_music"), seconds=60)
    yield client
    client.close()


def count_clips(services: ComposeServices) -> int:
    engine = create_engine(services.environment("worker")["MIRPIPE_READER_URL"])
    try:
        with engine.connect() as connection:
            query = text("SELECT count(*) FROM mirpipe.generation")
            return int(connection.execute(query).scalar_one())
    finally:
        engine.dispose()


def attempts(airflow: AirflowClient, run: DagRun) -> list[Attempt]:
    """Return all started attempts of all tasks in the run, in the order in which they started."""
    found = []
    for task in airflow.task_states(run):
        path = f"/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/{task.task_id}"
        index = f"/{task.map_index}" if task.map_index >= 0 else ""
        answer = airflow._call("GET", f"{path}{index}/tries")
        found += [
            Attempt(
                attempt["task_id"],
                attempt["queue"],
                datetime.fromisoformat(attempt["start_date"]),
                datetime.fromisoformat(attempt["end_date"]) if attempt["end_date"] else None,
            )
            for attempt in answer["task_instances"]
            if attempt["start_date"]
        ]
    return sorted(found, key=lambda attempt: attempt.start)


def is_generating(services: ComposeServices) -> bool:
    """Return whether a process of the GPU worker is generating a clip."""
    for process in services.processes(GPU_WORKER):
        with suppress(psutil.Error):  # the process may just have ended
            if {"mirpipe.cli.main", "generate"} <= set(process.cmdline()):
                return True
    return False


def states(airflow: AirflowClient, run: DagRun, task_id: str) -> list[str | None]:
    return [task.state for task in airflow.task_states(run) if task.task_id == task_id]


def test_no_work_is_lost_or_done_by_another_worker_if_the_gpu_worker_is_killed(
    services: ComposeServices, airflow: AirflowClient, collector: tuple[str, Values]
) -> None:
    for dag_id in ("ingest_library", "generate_music"):
        airflow.unpause(dag_id)
    ingest = airflow.trigger("ingest_library")
    for name in (*SERVERS, "redis"):
        eventually(lambda name=name: services.is_healthy(name), seconds=60)  # type: ignore[misc]
    eventually(lambda: airflow.refresh(ingest).has_ended, seconds=120)
    assert airflow.refresh(ingest).state == "success"
    run = airflow.trigger("generate_music")
    eventually(lambda: is_generating(services) or airflow.refresh(run).has_ended, seconds=240)
    services.kill(GPU_WORKER)
    assert count_clips(services) == 0
    assert not services.is_healthy(GPU_WORKER)

    services.start(GPU_WORKER)
    eventually(lambda: states(airflow, run, "embed_on_gpu").count("success") > 1, seconds=240)

    assert states(airflow, run, "generate_on_gpu") == ["success"] * 2
    assert count_clips(services) == 2
    all_attempts = attempts(airflow, run)
    on_gpu = [attempt for attempt in all_attempts if attempt.queue == "gpu" and attempt.end]
    large = sorted(attempt.task_id for attempt in on_gpu if attempt.task_id in LARGE_TASKS)
    assert large == ["caption_on_gpu"] + ["generate_on_gpu"] * 3, "one attempt was killed"
    pairs = itertools.pairwise(on_gpu)
    assert all(first.end and first.end <= second.start for first, second in pairs), on_gpu
    received = {
        name: set(re.findall(r"task_id='(\w+)'", services.log(name).read_text()))
        for name in ("worker", GPU_WORKER)
    }
    assert all(task_id.endswith("_on_gpu") for task_id in received[GPU_WORKER])
    assert {*LARGE_TASKS, "embed_on_gpu", "plan_embed_on_gpu"} <= received[GPU_WORKER]
    assert not any(task_id.endswith("_on_gpu") for task_id in received["worker"])
    assert {"targets", "plan_generate", "embed"} <= received["worker"]
    names = {name for name, _, _ in collector[1]}
    assert {"airflow.scheduler_heartbeat", "mirpipe.stage.items"} <= names
