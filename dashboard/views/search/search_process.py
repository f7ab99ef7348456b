"""Asks one question of an encoder in a process of its own, which has the model and then ends."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from mirpipe import registry
from mirpipe.db import queries
from mirpipe.settings import child_environment, settings

MOST_SECONDS = 180
"""A model is loaded for each question; on a slow disk that alone takes a minute."""
MOST_BYTES = 100 * 2**20
MOST_ANSWERS = 100
MOST_LETTERS = 500

# A model may take gigabytes: questions wait for each other.
_ONE_AT_A_TIME = threading.Lock()
_SPACE = re.compile(r"\s+")


class NoAnswer(queries.MirpipeError):
    """The question could not be answered; the message says why and ends with the remedy."""


@dataclass(frozen=True)
class Hit:
    """A reference and its cosine to what was asked for, in the encoder's own space."""

    rank: int
    track_id: int
    title: str
    labels: dict[str, str]
    cosine: float


def takes_text(encoder: str) -> bool:
    """Whether the encoder can embed words; False for one that this machine does not know."""
    try:
        return registry.ENCODERS.takes_text(encoder)
    except queries.MirpipeError:
        return False


def by_text(words: str, *, encoder: str, k: int) -> list[Hit]:
    """The k references that lie nearest to the words. Raises NoAnswer."""
    return _ask(["--text", "--encoder", encoder, "-k", str(k), "--", words])


def by_audio(content: bytes, *, name: str, encoder: str, k: int) -> list[Hit]:
    """The k references that lie nearest to an audio file of this content. Raises NoAnswer."""
    if len(content) > MOST_BYTES:
        raise NoAnswer(f"{name} is larger than {MOST_BYTES // 2**20} MB: cut it shorter")
    with TemporaryDirectory(prefix="mirpipe-query-") as folder:
        path = Path(folder) / "query"
        path.write_bytes(content)
        try:
            return _ask(["--encoder", encoder, "-k", str(k), "--", str(path)])
        except NoAnswer as problem:
            said = str(problem).replace(str(path), name).replace("query cannot", f"{name} cannot")
            raise NoAnswer(said) from None


def _ask(arguments: Sequence[str]) -> list[Hit]:
    if not _ONE_AT_A_TIME.acquire(timeout=MOST_SECONDS):
        raise NoAnswer("other searches are still running: try again in a moment")
    try:
        answer = json.loads(_run(["search", "--json", *arguments]))
    finally:
        _ONE_AT_A_TIME.release()
    return [
        Hit(hit["rank"], hit["track_id"], hit["title"], hit["labels"], hit["cosine"])
        for hit in answer["answers"]
    ]


def _run(arguments: Sequence[str]) -> str:
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "mirpipe.cli.main", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=child_environment(without="AIRFLOW", **settings().as_environment()),
        start_new_session=True,
    )
    try:
        printed, said = process.communicate(timeout=MOST_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)  # with what it may have started
        process.communicate()
        raise NoAnswer(
            f"no answer within {MOST_SECONDS} seconds: try a shorter file, or ask on the command "
            "line with `mirpipe search`, which waits as long as it takes"
        ) from None
    if process.returncode:
        raise NoAnswer(_reason(said) or f"the search ended with exit code {process.returncode}")
    return printed


def _reason(said: str) -> str:
    """What a command line said, in one line, without usage; of a traceback its last line."""
    if "Traceback (most recent call last)" in said:
        said = said.strip().rpartition("\n")[2]
    plain = _SPACE.sub(" ", said).strip()
    told = plain.rpartition("Error: ")[2].removeprefix("Invalid value: ")
    return told.removeprefix("mirpipe: ")
