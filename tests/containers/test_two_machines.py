"""Two compose projects on two networks work together, as on two machines.

The first project has the database, Redis, Airflow's servers and a GPU worker. The second has the
other workers. They reach each other through published ports only. They share no folder: the library
and the clips are in an object store.
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from mirpipe.settings import PROJECT
from tests.containers.conftest import LOGS
from tests.containers.engine import Engine
from tests.containers.main_job import (
    DAGS,
    start_main_job,
    unsuccessful_tasks,
    wait_for_main_job,
)
from tests.containers.stack import EVERY, START_SECONDS, Stack, save_logs
from tests.containers.stack import stack as new_stack
from tests.support.s3_server import Bucket, Proxy, running_server
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow

FILES = ("docker-compose.yml", "docker/open-to-workers.yml", "tests/containers/machines.yml")
SERVERS = ("postgres", "redis", "api-server", "scheduler", "dag-processor", "worker-gpu")
WORKERS = ("worker", "worker-gpu", "log-server")
REFERENCES, TARGETS = 6, 3
USES_GPU = {"embed_on_gpu", "caption_on_gpu", "generate_on_gpu"}


@dataclass(frozen=True)
class Machines:
    """The two projects, and the address at which each reaches the other."""

    first: Stack
    second: Stack
    address: str
    bucket: Bucket


@pytest.fixture(scope="module")
def machines(engine: Engine, version: str, folder: Path) -> Iterator[Machines]:
    """Yield two projects, in which the main job has run."""
    with (
        new_stack(engine, version) as plain,
        published_ports_are_reached(engine),
        private_address(engine, f"{plain.name}-private") as address,
        running_server(bind=address) as server,
    ):
        bucket = Bucket("music", server, Proxy(server))
        bucket.create()
        for collection, number in (("reference", REFERENCES), ("target", TARGETS)):
            for file in sorted((PROJECT / "demo" / collection).glob("*.ogg"))[:number]:
                bucket.put(f"{collection}/{file.name}", file.read_bytes())
        no_library = folder / "no-library"
        no_library.mkdir()
        common = plain.variables | {
            "LIBRARY": str(no_library),
            "MIRPIPE_REFERENCES": f"{bucket.url}/reference",
            "MIRPIPE_TARGETS": f"{bucket.url}/target",
            "MIRPIPE_CLIPS_DIR": f"{bucket.url}/clips",
            "AWS_ENDPOINT_URL": server,
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": "us-east-1",
            "PRIVATE_ADDRESS": address,
            "SUPPORT": str(PROJECT / "tests" / "support"),
            "MIRPIPE_GPU_WORKERS": "true",
            "MIRPIPE_GPU_SLOTS": "2",
            # One encoder embeds up to this number of tracks in one task.
            "MIRPIPE_BATCH_TRACKS": "4",
            "MIRPIPE_ENCODERS": "musicnn,signal_on_gpu",
            "MIRPIPE_CAPTIONER": "features_on_gpu",
            "MIRPIPE_GENERATORS": "resynth_on_gpu",
        }
        del common["MIRPIPE_MANIFEST"]
        first = replace(plain, variables=common | {"COMPOSE_PROFILES": "postgres,gpu"}, files=FILES)
        elsewhere = {
            "COMPOSE_PROJECT_NAME": f"{plain.name}-second",
            "COMPOSE_PROFILES": "gpu,logs",
            **dict.fromkeys(("POSTGRES_HOST", "REDIS_HOST", "API_HOST"), address),
            "WORKER_ADDRESS": address,
        }
        second = replace(plain, variables=common | elsewhere, files=FILES)
        try:
            first.up(*SERVERS)
            second.compose("up", "--detach", "--no-build", "--no-deps", *WORKERS)
            eventually(second.is_healthy, seconds=START_SECONDS, every=EVERY)
            start_main_job(first)
            wait_for_main_job(first)
            yield Machines(first, second, address, bucket)
        finally:
            for made in (second, first):
                save_logs(made, LOGS / made.name)
                made.compose("down", "--volumes", "--timeout", "20")


@contextmanager
def published_ports_are_reached(engine: Engine) -> Iterator[None]:
    """Let the containers of one network reach the published ports of another.

    Docker drops all packets between its networks. Between two machines, nothing does this.
    """
    rule = ["DOCKER-USER", "--match", "conntrack", "--ctstate", "DNAT", "--jump", "ACCEPT"]
    if not engine.is_own:
        yield
        return
    subprocess.run(["iptables", "--insert", *rule], check=True)
    try:
        yield
    finally:
        subprocess.run(["iptables", "--delete", *rule], check=True)


@contextmanager
def private_address(engine: Engine, network: str) -> Iterator[str]:
    """Create a network, and yield the address that this machine has in it."""
    engine.docker("network", "create", network)
    try:
        form = "{{(index .IPAM.Config 0).Gateway}}"
        yield engine.docker("network", "inspect", "--format", form, network)
    finally:
        engine.docker("network", "rm", network)


def task_instances(stack: Stack) -> list[dict[str, Any]]:
    """Return Airflow's records of all tasks that a worker has finished."""
    return [
        {**task, "dag_id": run.dag_id, "run_id": run.run_id}
        for dag_id in DAGS
        for run in stack.airflow.latest_runs(dag_id)
        for task in stack.airflow._call(
            "GET", f"/dags/{dag_id}/dagRuns/{run.run_id}/taskInstances?limit=100"
        )["task_instances"]
        # The scheduler itself ends a task that does nothing, so that it has no host name.
        if task["hostname"] and task["state"] == "success"
    ]


def test_all_work_is_done_on_the_machine_that_has_the_library_for_it(machines: Machines) -> None:
    assert unsuccessful_tasks(machines.first) == []
    assert "all checks passed" in machines.second.run("worker", "mirpipe", "verify")
    tasks = task_instances(machines.first)
    on_gpu = {task["task_id"] for task in tasks if task["queue"] == "gpu"}
    assert on_gpu >= USES_GPU
    assert all(task_id.endswith("_on_gpu") for task_id in on_gpu)
    elsewhere = {task["hostname"] for task in tasks if task["queue"] == "default"}
    assert elsewhere == {machines.address}
    generations = int(machines.first.query("SELECT count(*) FROM mirpipe.generation"))
    assert generations > 0
    assert generations % TARGETS == 0
    contents = "SELECT count(DISTINCT content_sha256) FROM mirpipe.generation"
    clips = [key for key in machines.bucket.list_keys() if key.startswith("clips/")]
    assert len(clips) == int(machines.first.query(contents))


def test_two_gpu_workers_share_the_work(machines: Machines) -> None:
    workers = {machines.address, machines.first.container("worker-gpu")[:12]}
    tasks = task_instances(machines.first)
    for task_id in USES_GPU:
        used = {task["hostname"] for task in tasks if task["task_id"] == task_id}
        assert used == workers, task_id


def test_the_api_server_shows_the_logs_of_tasks_on_both_machines(machines: Machines) -> None:
    hosts: dict[str, dict[str, Any]] = {}
    for task in task_instances(machines.first):
        if task["task_id"] in USES_GPU:
            hosts.setdefault(task["hostname"], task)
    assert len(hosts) == 2
    for task in hosts.values():
        path = f"/dags/{task['dag_id']}/dagRuns/{task['run_id']}/taskInstances/{task['task_id']}"
        log = machines.first.airflow._call(
            "GET", f"{path}/logs/{task['try_number']}?map_index={task['map_index']}"
        )
        assert "Returned value was" in str(log), log


def test_the_networks_are_separate(machines: Machines) -> None:
    form = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}"
    container = machines.first.container("postgres")
    inside = machines.first.engine.docker("inspect", "--format", form, container).split()
    connect = "import socket, sys; socket.create_connection((sys.argv[1], 5432), 3)"

    def is_reached(address: str) -> bool:
        process = machines.second.engine.try_docker(
            "exec", machines.second.container("worker"), "python", "-c", connect, address
        )
        return process.returncode == 0

    assert is_reached(machines.address)
    assert not any(is_reached(address) for address in inside)
