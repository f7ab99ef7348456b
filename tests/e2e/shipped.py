"""The services of docker-compose.yml as processes of this machine: their commands, environment.

What differs is where things are: ports of 127.0.0.1 in place of host names, and folders of the
test in place of the containers'.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from mirpipe.orchestration.parent_death_signal import dies_with_parent
from mirpipe.settings import PROJECT
from tests.deploy.compose import config


class Shipped:
    """Starts services, each with the environment that the file gives it and no other."""

    def __init__(
        self, variables: Mapping[str, str], *, places: Mapping[str, str], logs: Path
    ) -> None:
        """`places` says what stands for a part of a command or a variable on this machine."""
        self.services: dict[str, Any] = config(variables)["services"]
        self._places = places
        self._logs = logs
        self._running: dict[str, psutil.Popen] = {}

    def environment(self, name: str) -> dict[str, str]:
        """Of a service, and the programs of this interpreter."""
        given = self.services[name]["environment"]
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        return {
            **{key: self._here(value) for key, value in given.items() if value is not None},
            "PATH": path,
            **({"AIRFLOW_HOME": f"{self._logs}/{name}"} if "AIRFLOW_HOME" in given else {}),
        }

    def run(self, name: str) -> None:
        """A service that ends by itself, to its good end."""
        with self.log(name).open("wb") as output:
            ended = subprocess.run(
                self._command(name), stdout=output, stderr=output, **self._how(name)
            )
        assert ended.returncode == 0, self.log(name).read_text()

    def start(self, name: str) -> None:
        with self.log(name).open("ab") as output:
            self._running[name] = psutil.Popen(
                self._command(name),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=dies_with_parent(signal.SIGKILL),
                **self._how(name),
            )

    def log(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    def said(self) -> str:
        """The end of every log."""
        return "\n".join(
            f"── {log.stem}\n{log.read_text(errors='replace')[-3000:]}"
            for log in sorted(self._logs.glob("*.log"))
        )

    def processes(self, name: str) -> list[psutil.Process]:
        """Those of a running service."""
        main = self._running[name]
        return [main, *main.children(recursive=True)]

    def healthy(self, name: str) -> bool:
        """Whether its health check ends well."""
        kind, *test = self.services[name]["healthcheck"]["test"]
        command = ["sh", "-c", *test] if kind == "CMD-SHELL" else test
        ended = subprocess.run(
            [self._here(word) for word in command], capture_output=True, **self._how(name)
        )
        return ended.returncode == 0

    def kill(self, name: str) -> None:
        """As an engine does, or the kernel where memory is out: every process at once."""
        doomed = self.processes(name)
        for act in (psutil.Process.suspend, psutil.Process.kill):
            for process in doomed:
                with suppress(psutil.NoSuchProcess):
                    act(process)
        psutil.wait_procs(doomed, timeout=10)
        del self._running[name]

    def end(self) -> None:
        for name in [*self._running]:
            self.kill(name)

    def _command(self, name: str) -> list[str]:
        return [self._here(word) for word in self.services[name]["command"]]

    def _how(self, name: str) -> dict[str, Any]:
        return {"env": self.environment(name), "cwd": PROJECT}

    def _here(self, text: str) -> str:
        for there, here in self._places.items():
            text = text.replace(there, here)
        return text
