"""Runs a stage as a subprocess of the interpreter that has its model.

A crash or an out-of-memory kill takes one batch and not Airflow's worker, and memory is free
afterwards. Results go straight to Postgres; only the counts come back.
"""

import contextlib
import json
import logging
import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from mirpipe import logs
from mirpipe.errors import StageFailed
from mirpipe.models import interpreters
from mirpipe.orchestration.parent_death_signal import dies_with_parent
from mirpipe.settings import child_environment, cores, dag_run, settings

Counts = dict[str, Any]

_DONE = {0, 3}  # 3: done, and some input was rejected, which is no failure
_ENDED_BY_US = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")

log = logging.getLogger("mirpipe.stage")


@dataclass(frozen=True)
class Outcome:
    """How a stage ended."""

    counts: Counts
    exit_code: int
    """As the command line documents it; -n where signal n killed the process."""

    @property
    def crashed(self) -> bool:
        """It died by a signal that nobody sends to end a process in good order."""
        return self.exit_code < 0 and -self.exit_code not in _ENDED_BY_US

    @property
    def transient(self) -> bool:
        """It may go better another time: out of memory, for example, and not a broken track."""
        return self.exit_code not in _DONE and not (self.crashed and self.exit_code != -9)

    @property
    def ending(self) -> str:
        """How it ended, in words."""
        if self.exit_code == -signal.SIGKILL:
            return "was killed (out of memory?)"
        if self.exit_code < 0:
            return f"died: {signal.strsignal(-self.exit_code)}"
        return f"ended with exit code {self.exit_code}"


def run(*arguments: str) -> Counts:
    """What `mirpipe ARGUMENTS --json` printed; raises StageFailed where it failed."""
    outcome = invoke(arguments)
    require_done(arguments, outcome)
    return outcome.counts


def require_done(arguments: Sequence[str], outcome: Outcome) -> None:
    """Raises StageFailed unless the stage did its work."""
    if outcome.exit_code not in _DONE:
        raise StageFailed(
            f"`mirpipe {' '.join(arguments)}` {outcome.ending}: the log above and "
            "`mirpipe failures` say why; run again, it does what is left"
        )


def invoke(
    arguments: Sequence[str], *, track_ids: Sequence[int] | None = None, python: Path | None = None
) -> Outcome:
    """Runs the stage, on `track_ids` alone where given; its stderr goes to the log line by line.

    `python` is the interpreter that has the stage's model; default: the running one.
    """
    with tempfile.TemporaryDirectory(prefix="mirpipe-stage-") as folder:
        stage, *options = arguments
        command = [
            str(python or interpreters.HERE),
            "-P",
            "-m",
            "mirpipe.cli.main",
            stage,
            "--json",
        ]
        if track_ids is not None:
            manifest = Path(folder) / "track_ids.json"
            manifest.write_text(json.dumps(list(track_ids)))
            command += ["--manifest", str(manifest)]
        command += options
        stdout = Path(folder) / "stdout"
        exit_code = _run(command, stdout)
        said = stdout.read_text()
    return Outcome(json.loads(said) if said.strip() and exit_code >= 0 else {}, exit_code)


def _run(command: list[str], stdout: Path) -> int:
    threads = str(max(1, cores() // settings().slots))
    added = {**settings().as_environment(), **dict.fromkeys(_THREADS, threads)}
    added |= {"MIRPIPE_LOG": "json", "MIRPIPE_RUN": dag_run() or settings().run or ""}
    environment = child_environment(without="AIRFLOW", **added)
    with (
        stdout.open("wb") as output,
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.PIPE,
            env=environment,
            process_group=0,
            preexec_fn=dies_with_parent(signal.SIGKILL),
        ) as process,
    ):
        assert process.stderr is not None
        reader = threading.Thread(target=_log_lines, args=(process.stderr,), daemon=True)
        reader.start()
        try:
            exit_code = _wait(process)
        finally:
            if process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
            reader.join(timeout=5)
    return exit_code


def _wait(process: subprocess.Popen[bytes]) -> int:
    parent = os.getppid()
    while True:
        try:
            return process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            if os.getppid() != parent:  # Airflow's worker was killed: nobody waits for us any more
                raise StageFailed("the worker that ran this stage is gone") from None


def _log_lines(stderr: IO[bytes]) -> None:
    with contextlib.suppress(ValueError):  # closed under us, where a grandchild holds it open
        for line in stderr:
            _log_line(line.decode(errors="backslashreplace").rstrip())


def _log_line(line: str) -> None:
    """Says it again at its level: for people, unless the settings want lines for programs."""
    told = logs.parse(line)
    if told is None:
        log.info("%s", line)
    else:
        log.log(logs.level_of(told), "%s", line if settings().log == "json" else logs.as_text(told))
