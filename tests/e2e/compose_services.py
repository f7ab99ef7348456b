"""Runs the services in docker-compose.yml as processes on this machine.

The commands and the environment are taken from the file. Only host names, ports and folders are
replaced.
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

from mirpipe.parent_death_signal import dies_with_parent
from mirpipe.settings import PROJECT
from tests.deploy.compose import config


class ComposeServices:
    """The services in the file, each with the environment from the file and no other variables."""

    def __init__(
        self, variables: Mapping[str, str], *, replacements: Mapping[str, str], logs: Path
    ) -> None:
        """`replacements` maps texts in commands and variables to their values on this machine."""
        self.services: dict[str, Any] = config(variables)["services"]
        self._replacements = replacements
        self._logs = logs
        self._running: dict[str, psutil.Popen] = {}

    def environment(self, name: str) -> dict[str, str]:
        """Return the service's variables, with this interpreter's programs in PATH."""
        variables = self.services[name]["environment"]
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        return {
            **{key: self._replace(value) for key, value in variables.items() if value is not None},
            "PATH": path,
            **({"AIRFLOW_HOME": f"{self._logs}/{name}"} if "AIRFLOW_HOME" in variables else {}),
        }

    def run(self, name: str) -> None:
        """Run a service that ends by itself. Fails if the exit code is not 0."""
        with self.log(name).open("wb") as output:
            process = subprocess.run(
                self._command(name), stdout=output, stderr=output, **self._options(name)
            )
        assert process.returncode == 0, self.log(name).read_text()

    def start(self, name: str) -> None:
        """Start a service that keeps running."""
        with self.log(name).open("ab") as output:
            self._running[name] = psutil.Popen(
                self._command(name),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=dies_with_parent(signal.SIGKILL),
                **self._options(name),
            )

    def log(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    def log_ends(self) -> str:
        """Return the end of every log."""
        return "\n".join(
            f"── {log.stem}\n{log.read_text(errors='replace')[-3000:]}"
            for log in sorted(self._logs.glob("*.log"))
        )

    def processes(self, name: str) -> list[psutil.Process]:
        """Return all processes that belong to a running service."""
        main = self._running[name]
        return [main, *main.children(recursive=True)]

    def is_healthy(self, name: str) -> bool:
        """Run the service's health check, and return whether the exit code is 0."""
        kind, *test = self.services[name]["healthcheck"]["test"]
        command = ["sh", "-c", *test] if kind == "CMD-SHELL" else test
        process = subprocess.run(
            [self._replace(word) for word in command], capture_output=True, **self._options(name)
        )
        return process.returncode == 0

    def kill(self, name: str) -> None:
        """Kill all of the service's processes at once, as the kernel does if memory runs out."""
        processes = self.processes(name)
        # All processes are suspended first, so that none can react to the end of another.
        for action in (psutil.Process.suspend, psutil.Process.kill):
            for process in processes:
                with suppress(psutil.NoSuchProcess):
                    action(process)
        psutil.wait_procs(processes, timeout=10)
        del self._running[name]

    def stop_all(self) -> None:
        """Kill all running services."""
        for name in [*self._running]:
            self.kill(name)

    def _command(self, name: str) -> list[str]:
        return [self._replace(word) for word in self.services[name]["command"]]

    def _options(self, name: str) -> dict[str, Any]:
        return {"env": self.environment(name), "cwd": PROJECT}

    def _replace(self, text: str) -> str:
        for original, replacement in self._replacements.items():
            text = text.replace(original, replacement)
        return text
