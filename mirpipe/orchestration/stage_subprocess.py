"""Run a stage as a subprocess, with the Python interpreter that has the model's libraries.

Because the stage is a subprocess, a crash or an out-of-memory kill ends only one batch and not
Airflow's worker, and all memory is released when the stage ends. The stage writes its results to
Postgres; only its counts are returned.
"""

import contextlib
import json
import logging
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from mirpipe import logs
from mirpipe.available_cores import available_cores
from mirpipe.errors import StageFailed
from mirpipe.models import interpreters
from mirpipe.orchestration.s3_connection import with_s3_login
from mirpipe.orchestration.telemetry import record_stage
from mirpipe.parent_death_signal import dies_with_parent
from mirpipe.settings import child_environment, dag_run_id, settings

Counts = dict[str, Any]

_SUCCESS_CODES = {0, 3}  # 3: some input was rejected, which is not a failure
_STOP_SIGNALS = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
_THREAD_LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")

log = logging.getLogger("mirpipe.stage")


@dataclass(frozen=True)
class Outcome:
    """Exit code and counts of a stage that has ended."""

    counts: Counts
    exit_code: int
    """Exit code that `mirpipe --help` documents, or -n if signal n killed the process."""

    @property
    def succeeded(self) -> bool:
        """Whether the stage finished its work. A gate has, if it printed a verdict of any kind."""
        return self.exit_code in _SUCCESS_CODES or "verdict" in self.counts

    @property
    def crashed(self) -> bool:
        """Whether a signal killed the process, other than a signal that asks it to stop."""
        return self.exit_code < 0 and -self.exit_code not in _STOP_SIGNALS

    @property
    def transient(self) -> bool:
        """Whether the stage failed but a retry may succeed.

        It is true after an out-of-memory kill, and false after any other crash.
        """
        return not self.succeeded and not (self.crashed and self.exit_code != -9)

    @property
    def result(self) -> str:
        """`success`, `failed` or `crashed`."""
        if self.succeeded:
            return "success"
        return "crashed" if self.crashed else "failed"

    @property
    def description(self) -> str:
        """How the process ended, as part of a sentence, such as "was killed (out of memory?)"."""
        if self.exit_code == -signal.SIGKILL:
            return "was killed (out of memory?)"
        if self.exit_code < 0:
            return f"died: {signal.strsignal(-self.exit_code)}"
        return f"ended with exit code {self.exit_code}"


def run_stage(*arguments: str) -> Counts:
    """Run `mirpipe ARGUMENTS --json` and return the counts that it prints.

    Raises StageFailed if the stage failed.
    """
    outcome = try_stage(arguments)
    require_success(arguments, outcome)
    return outcome.counts


def require_success(arguments: Sequence[str], outcome: Outcome) -> None:
    """Raise StageFailed unless the stage finished its work."""
    if not outcome.succeeded:
        raise StageFailed(
            f"`mirpipe {' '.join(arguments)}` {outcome.description}. The log above and "
            "`mirpipe failures` show the cause. If you run the command again, it continues with "
            "the pending work."
        )


def try_stage(
    arguments: Sequence[str], *, track_ids: Sequence[int] | None = None, python: Path | None = None
) -> Outcome:
    """Run `mirpipe ARGUMENTS --json` and return how it ended. A failed stage raises no error.

    `track_ids` limits the stage to these tracks; None means all pending tracks. `python` is the
    interpreter that has the model's libraries; None means the current interpreter. The stage's
    error output is logged line by line.
    """
    with tempfile.TemporaryDirectory(prefix="mirpipe-stage-") as folder:
        stage, *options = arguments
        command = [
            str(python or interpreters.CURRENT_PYTHON),
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
        started = time.monotonic()
        exit_code = _run(command, stdout)
        seconds = time.monotonic() - started
        output = stdout.read_text()
    counts = json.loads(output) if output.strip() and exit_code >= 0 else {}
    outcome = Outcome(counts, exit_code)
    record_stage(stage, counts, seconds=seconds, result=outcome.result)
    return outcome


def _run(command: list[str], stdout: Path) -> int:
    """Run the command, write its output to the file `stdout`, and return its exit code."""
    threads = str(max(1, available_cores() // settings().slots))
    added = {**settings().as_environment(), **dict.fromkeys(_THREAD_LIMITS, threads)}
    added |= {"MIRPIPE_LOG": "json", "MIRPIPE_RUN": dag_run_id() or settings().run or ""}
    environment = with_s3_login(child_environment(without="AIRFLOW", **added))
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
    """Return the exit code of the process. Raises StageFailed if Airflow's worker was killed."""
    parent = os.getppid()
    while True:
        try:
            return process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            if os.getppid() != parent:  # Without the worker, no process would read the result.
                raise StageFailed(
                    "The Airflow worker that ran this stage was killed. The next DAG run "
                    "continues with the pending work."
                ) from None


def _log_lines(stderr: IO[bytes]) -> None:
    # ValueError: a child process of the stage kept the pipe open, and this process has closed the
    # end that it reads from.
    with contextlib.suppress(ValueError):
        for line in stderr:
            _log_line(line.decode(errors="backslashreplace").rstrip())


def _log_line(line: str) -> None:
    """Log a line from the stage at the line's own level.

    It is logged as JSON if MIRPIPE_LOG is `json`, and otherwise as text.
    """
    record = logs.parse_json_line(line)
    if record is None:
        log.info("%s", line)
    else:
        text = line if settings().log == "json" else logs.format_as_text(record)
        log.log(logs.level_number(record), "%s", text)
