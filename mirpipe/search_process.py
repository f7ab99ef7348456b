"""A search in a separate process. The process loads the model, prints the hits and exits."""

import json
import logging
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from mirpipe import registry
from mirpipe.db.queries.vector_search import NearReference
from mirpipe.errors import MirpipeError
from mirpipe.parent_death_signal import dies_with_parent
from mirpipe.settings import child_environment, settings

TIME_LIMIT_SECONDS = 180
"""Time limit for one search. Loading the model alone takes up to a minute on a slow disk."""
MAX_FILE_BYTES = 100 * 2**20
MAX_CHARACTERS = 500

_INPUT_FAULTS = (2, 3)
"""Exit codes of a search whose arguments are wrong or whose file is rejected."""

_log = logging.getLogger(__name__)

# Searches run one after the other, because a model can need gigabytes of memory.
_ONE_AT_A_TIME = threading.Lock()
_start_or_stop = threading.Lock()
_stopped = threading.Event()
_running: subprocess.Popen[str] | None = None
_WHITESPACE = re.compile(r"\s+")
_STOPPED = "The server is being stopped. Try again when it runs again."


class SearchFailed(MirpipeError):
    """A search failed and returned no hits. The message states the reason and the remedy."""


class SearchBusy(SearchFailed):
    """A search found no time to run. It may succeed later."""


class SearchUnavailable(SearchFailed):
    """A search failed for a reason other than its input, such as a lost database."""


class SearchCrashed(SearchFailed):
    """The search stopped because of an internal error. The log contains the details."""


def takes_text(encoder: str) -> bool:
    """Return whether the encoder can embed words. For an unknown encoder, return False."""
    try:
        return registry.ENCODERS.takes_text(encoder)
    except MirpipeError:
        return False


def search_by_words(words: str, *, encoder: str, k: int) -> list[NearReference]:
    """Return the k references that are most similar to the words.

    Raises SearchFailed if the search fails or takes longer than the time limit.
    """
    return _search(["--text", "--encoder", encoder, "-k", str(k), "--", words])


def search_by_file(path: Path, *, name: str, encoder: str, k: int) -> list[NearReference]:
    """Return the k references that are most similar to an audio file.

    `name` is the file name that error messages use instead of the path. Raises SearchFailed if the
    file is too large, or if the search fails or takes longer than the time limit.
    """
    if path.stat().st_size > MAX_FILE_BYTES:
        raise SearchFailed(
            f"{name} is larger than {MAX_FILE_BYTES // 2**20} MB. Search with a shorter file."
        )
    try:
        return _search(["--encoder", encoder, "-k", str(k), "--", str(path)])
    except SearchFailed as error:
        message = str(error).replace(str(path), name).replace(path.name, name)
        raise type(error)(message) from None


def stop() -> None:
    """Kill the running search. This search, and all that wait or start later, raise SearchBusy."""
    with _start_or_stop:
        _stopped.set()
        if _running is not None and _running.poll() is None:
            os.killpg(_running.pid, signal.SIGKILL)


def _search(arguments: Sequence[str]) -> list[NearReference]:
    if not _ONE_AT_A_TIME.acquire(timeout=TIME_LIMIT_SECONDS):
        raise SearchBusy("Other searches are still running. Try again in a moment.")
    try:
        result = json.loads(_run_command(["search", "--json", *arguments]))
    finally:
        _ONE_AT_A_TIME.release()
    return [NearReference(**answer) for answer in result["answers"]]


def _run_command(arguments: Sequence[str]) -> str:
    """Return the standard output of a mirpipe command.

    Raises SearchFailed with the command's error message if the command fails.
    """
    process = _start(arguments)
    try:
        output, errors = process.communicate(timeout=TIME_LIMIT_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)  # The process may have started others.
        process.communicate()
        raise SearchBusy(
            f"The search was stopped after {TIME_LIMIT_SECONDS} seconds. Another process "
            "may be using the GPU. Try again later or with a shorter file, or run `mirpipe search` "
            "on the command line, which has no time limit."
        ) from None
    if process.returncode and _stopped.is_set():
        raise SearchBusy(_STOPPED)
    if process.returncode < 0 or "Traceback (most recent call last)" in errors:
        _log.error("mirpipe search ended with exit code %d:\n%s", process.returncode, errors)
        raise SearchCrashed
    if process.returncode:
        fault = SearchFailed if process.returncode in _INPUT_FAULTS else SearchUnavailable
        raise fault(
            _error_message(errors) or f"The search ended with exit code {process.returncode}."
        )
    return output


def _start(arguments: Sequence[str]) -> subprocess.Popen[str]:
    """Start a mirpipe command, unless searches are stopped."""
    global _running
    with _start_or_stop:
        if _stopped.is_set():
            raise SearchBusy(_STOPPED)
        _running = subprocess.Popen(
            [sys.executable, "-P", "-m", "mirpipe.cli.main", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=child_environment(without="AIRFLOW", **settings().as_environment()),
            start_new_session=True,
            preexec_fn=dies_with_parent(signal.SIGKILL),
        )
        return _running


def _error_message(errors: str) -> str:
    """Return the error message of a command as one line, without usage text and prefixes."""
    line = _WHITESPACE.sub(" ", errors).strip()
    message = line.rpartition("Error: ")[2].removeprefix("Invalid value: ")
    return message.removeprefix("mirpipe: ")
