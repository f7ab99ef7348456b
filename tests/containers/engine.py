"""A container engine: the one that this machine offers, or one that the tests start themselves."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mirpipe.parent_death_signal import dies_with_parent
from tests.containers.host_network import restored_network
from tests.support.waiting import eventually

START_SECONDS = 120


@dataclass(frozen=True)
class Engine:
    """How to reach a running engine."""

    environment: Mapping[str, str]
    """Variables for the programs `docker` and `docker-compose`."""
    is_own: bool
    """Whether the tests started this engine. Everything in it is deleted with it."""

    def docker(self, *arguments: str, timeout: float = 600) -> str:
        """Run `docker ARGUMENTS`, and return the output. The test fails if the command fails."""
        process = self.try_docker(*arguments, timeout=timeout)
        assert process.returncode == 0, f"docker {' '.join(arguments)}: {process.stderr}"
        return process.stdout.strip()

    def try_docker(self, *arguments: str, timeout: float = 600) -> subprocess.CompletedProcess[str]:
        """Run `docker ARGUMENTS`, which may fail."""
        return subprocess.run(
            ["docker", *arguments],
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            timeout=timeout,
        )

    def has_image(self, tag: str) -> bool:
        """Return whether the engine has an image with this tag."""
        return self.try_docker("image", "inspect", tag).returncode == 0


@contextmanager
def engine(folder: Path) -> Iterator[Engine]:
    """Yield the engine that answers on this machine, or else one whose data is in `folder`."""
    offered = Engine({}, is_own=False)
    if shutil.which("docker") and offered.try_docker("info").returncode == 0:
        yield offered
    else:
        with own_engine(folder) as started:
            yield started


@contextmanager
def own_engine(folder: Path) -> Iterator[Engine]:
    """Start dockerd with its own data, socket and process file in `folder`, and stop it at the end.

    If this process is killed, the kernel stops dockerd, which then stops its containers. Before the
    tests, `make test-containers` checks that this user is root and that the programs exist.
    """
    # The path of a socket must be short.
    host = f"unix://{folder}/docker.sock"
    config = folder / "config"
    config.mkdir()
    # The client has no plug-in for BuildKit on Debian.
    started = Engine(
        {"DOCKER_HOST": host, "DOCKER_CONFIG": str(config), "DOCKER_BUILDKIT": "0"}, is_own=True
    )
    log = folder / "dockerd.log"
    folders = [f"--data-root={folder}/data", f"--exec-root={folder}/exec"]
    command = ["dockerd", *folders, f"--pidfile={folder}/dockerd.pid", f"--host={host}"]
    with restored_network():
        with log.open("w") as output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=dies_with_parent(signal.SIGTERM),
            )
        try:
            eventually(
                lambda: process.poll() is not None or started.try_docker("info").returncode == 0,
                seconds=START_SECONDS,
            )
            assert process.poll() is None, f"dockerd ended: {log.read_text()[-2000:]}"
            yield started
        finally:
            process.terminate()
            process.wait(120)
