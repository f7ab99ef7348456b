"""A running copy of docker-compose.yml, with its own project name, images, volumes and ports."""

import json
import os
import secrets
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mirpipe.orchestration.airflow_rest_client import AirflowClient
from mirpipe.settings import PROJECT
from tests.containers.engine import Engine
from tests.deploy.compose import compose, env_file
from tests.support.waiting import eventually

START_SECONDS = 900
EVERY = 2
"""Seconds between two questions to the engine."""
PROJECT_LABEL = "com.docker.compose.project"


@dataclass(frozen=True)
class Stack:
    """The services of one compose project."""

    engine: Engine
    variables: dict[str, str]
    """The variables in .env, and COMPOSE_PROJECT_NAME."""
    airflow: AirflowClient
    files: tuple[str, ...] = ("docker-compose.yml",)

    @property
    def name(self) -> str:
        """The name of the project, with which the names of containers and volumes start."""
        return self.variables["COMPOSE_PROJECT_NAME"]

    @property
    def dashboard(self) -> str:
        """The address of the dashboard on this machine."""
        return f"http://127.0.0.1:{self.variables['DASHBOARD_PORT']}"

    def compose(self, *arguments: str) -> str:
        """Run `docker compose ARGUMENTS`, and return the output. Fails if the command fails."""
        variables = {**self.variables, **self.engine.environment}
        process = compose(variables, *arguments, files=self.files)
        output = f"{process.stdout[-2000:]}{process.stderr[-4000:]}"
        assert process.returncode == 0, f"docker compose {' '.join(arguments)}: {output}"
        return process.stdout

    def up(self, *services: str) -> None:
        """Start services, by default all, and wait until all that keep running are healthy."""
        self.compose("up", "--detach", "--no-build", *services)
        eventually(self.is_healthy, seconds=START_SECONDS, every=EVERY)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Freeze all services inside the context, so that they use no CPU time."""
        self.compose("pause")
        try:
            yield
        finally:
            self.compose("unpause")

    def is_healthy(self) -> bool:
        """Return whether all containers are healthy, except those that have ended successfully."""
        states = [self.state(container) for container in self.containers()]
        return all(
            state["ExitCode"] == 0
            if state["Status"] == "exited"
            else state.get("Health", {}).get("Status") == "healthy"
            for state in states
        )

    def containers(self, service: str | None = None) -> list[str]:
        """Return the ids of the containers of all services, or of one."""
        filters = [f"label={PROJECT_LABEL}={self.name}"]
        if service:
            filters.append(f"label=com.docker.compose.service={service}")
        options = [word for text in filters for word in ("--filter", text)]
        return self.engine.docker("ps", "--all", "--quiet", "--no-trunc", *options).split()

    def container(self, service: str) -> str:
        """Return the id of the container of a service."""
        (container,) = self.containers(service)
        return container

    def state(self, container: str) -> dict[str, Any]:
        """Return the engine's description of the container's state."""
        state: dict[str, Any] = json.loads(
            self.engine.docker("inspect", "--format", "{{json .State}}", container)
        )
        return state

    def operator(self, *command: str) -> str:
        """Run a command in a new container of the service `operator`, and return the output."""
        return self.compose("run", "--rm", "--no-TTY", "operator", *command)

    def run(self, service: str, *command: str) -> str:
        """Run a command in the running container of a service, and return the output."""
        return self.engine.docker("exec", self.container(service), *command)

    def query(self, sql: str) -> str:
        """Return the result of a query to mirpipe's database, as unaligned text."""
        login = ("--username", "mirpipe_read", "--dbname", "mirpipe")
        return self.run("postgres", "psql", *login, "--no-align", "--tuples-only", "-c", sql)

    def kill(self, service: str) -> None:
        """Kill all processes of a service with SIGKILL, and wait until it is started again."""
        container = self.container(service)
        pid = self.state(container)["Pid"]
        if self.engine.is_own:
            # The engine starts the container again, as after a crash. It would not do so after
            # `docker kill`.
            os.kill(pid, signal.SIGKILL)
        else:
            self.engine.docker("kill", container)
            self.engine.docker("start", container)
        eventually(
            lambda: self.state(container)["Pid"] not in (0, pid), seconds=START_SECONDS, every=0.5
        )


@contextmanager
def stack(engine: Engine, version: str, **variables: str) -> Iterator[Stack]:
    """Yield a stack that is not started yet. `version` is the tag of mirpipe's images.

    At the end, the stack's containers, volumes and networks are removed.
    """
    variables = env_file(
        COMPOSE_PROJECT_NAME=f"mirpipe-test-{secrets.token_hex(4)}",
        MIRPIPE_VERSION=version,
        LIBRARY=str(PROJECT / "demo"),
        AIRFLOW_PORT=_free_port(),
        DASHBOARD_PORT=_free_port(),
        # Only the runs that a test starts.
        MIRPIPE_INGEST_CRON="0 0 1 1 *",
        MIRPIPE_EVALUATE_CRON="0 0 1 1 *",
        MIRPIPE_GENERATE_CRON="0 0 1 1 *",
        MIRPIPE_MAINTENANCE_CRON="0 0 1 1 *",
        **variables,
    )
    url = f"http://127.0.0.1:{variables['AIRFLOW_PORT']}"
    airflow = AirflowClient(url, user="admin", password=variables["AIRFLOW_ADMIN_PASSWORD"])
    made = Stack(engine, variables, airflow)
    try:
        yield made
    finally:
        airflow.close()
        # With all profiles, since a copy of the stack may have started more services.
        made.compose("--profile", "*", "down", "--volumes", "--timeout", "20")


def save_logs(stack: Stack, folder: Path) -> None:
    """Write the log of every service into the folder, to find out later why a test failed."""
    folder.mkdir(parents=True, exist_ok=True)
    for service in stack.compose("config", "--services").split():
        log = stack.compose("logs", "--no-log-prefix", "--no-color", service)
        (folder / f"{service}.log").write_text(log)


def _free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])
