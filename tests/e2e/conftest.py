"""Fixtures that run `mirpipe up` as a user does, with real servers, real audio and its own home."""

import itertools
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
import soundfile
from sqlalchemy import Connection, create_engine

from mirpipe.db.embedded_server_roles import embedded_server
from mirpipe.settings import PROJECT
from tests.support.waiting import eventually

REFERENCES = [
    *("West", "Celtic Pride", "Egypt", "funk_80", "reggae_78"),
    *("小白菜（笛子）", "茉莉花（古筝）"),
]
SECONDS = 10
"""Length of each track, long enough for all metrics."""
TARGETS = ["Jazz 120 BPM", "Scottish bagpipes", "茉莉花（笛子）"]
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Installation:
    """A home with a small library, and additional settings."""

    home: Path
    library: Path
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        return {
            **{name: value for name, value in os.environ.items() if name != "MIRPIPE_HOME"},
            "MIRPIPE_HOME": str(self.home),
            "MIRPIPE_AIRFLOW_PORT": "18100",
            "MIRPIPE_DASHBOARD_PORT": "18600",
            **self.settings,
        }

    def mirpipe(self, *arguments: str) -> str:
        """Run the command and return its output. Fails if the exit code is not 0."""
        command = [sys.executable, "-m", "mirpipe.cli.main", *arguments]
        process = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=True
        )
        return process.stdout

    def digest(self) -> str:
        """Return a hash of all database content. Postgres is stopped afterwards."""
        try:
            return self.mirpipe("verify", "--digest").strip()
        finally:
            self.mirpipe("db", "down")

    @contextmanager
    def read_connection(self) -> Iterator[Connection]:
        """Yield a connection with read permission. Postgres is stopped afterwards."""
        server = embedded_server(self.home)
        server.up()
        engine = create_engine(server.url("reader"))
        try:
            with engine.connect() as connection:
                yield connection
        finally:
            engine.dispose()
            server.down()

    def processes(self) -> list[psutil.Process]:
        """Return every process that uses this home, including the Postgres server."""
        processes = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get("MIRPIPE_HOME") == str(self.home):
                    processes.append(process)
        postgres = embedded_server(self.home).pid
        return [*processes, *([psutil.Process(postgres)] if postgres else [])]


class Up:
    """A running `mirpipe up --once`, with a method that waits for a line in the output."""

    def __init__(self, installation: Installation, *, batch_tracks: int = 64) -> None:
        library = [
            "--references",
            installation.library / "reference",
            "--targets",
            installation.library / "target",
        ]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mirpipe.cli.main", "up", "--once", *library],
            env={**installation.environment, "MIRPIPE_BATCH_TRACKS": str(batch_tracks)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: list[str] = []
        self._readers = [
            threading.Thread(target=self._read, args=[stream], daemon=True)
            for stream in (self.process.stdout, self.process.stderr)
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, stream: Iterator[str]) -> None:
        self.lines.extend(iter(stream))

    @property
    def text(self) -> str:
        """The output so far."""
        return "".join(self.lines)

    def wait_for(self, pattern: str, *, seconds: float = 240) -> None:
        """Wait until the output matches the pattern. Fails if the process ends first."""
        eventually(
            lambda: re.search(pattern, self.text) or self.process.poll() is not None,
            seconds=seconds,
        )
        assert re.search(pattern, self.text), f"ended without {pattern!r}:\n{self.text}"

    def wait(self, *, seconds: float = 560) -> int:
        """Wait until the process ends, and return its exit code."""
        code = self.process.wait(timeout=seconds)
        for reader in self._readers:
            reader.join(timeout=10)
        return code

    def close(self) -> None:
        """Stop the process if it is still running, and print the output for pytest."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=60)
        print(self.text)


@pytest.fixture(scope="session")
def new_installation(short_folder: Path) -> Callable[[], Installation]:
    """Return a function that creates an empty home with three targets and seven references."""

    def create() -> Installation:
        folder = short_folder / f"e2e-{next(_numbers)}"
        for collection, titles in (("reference", REFERENCES), ("target", TARGETS)):
            (folder / "library" / collection).mkdir(parents=True)
            for title in titles:
                with soundfile.SoundFile(PROJECT / "demo" / collection / f"{title}.ogg") as music:
                    samples, rate = music.read(SECONDS * music.samplerate), music.samplerate
                soundfile.write(folder / "library" / collection / f"{title}.wav", samples, rate)
        return Installation(folder / "home", folder / "library")

    return create


@pytest.fixture(scope="session")
def undisturbed(new_installation: Callable[[], Installation]) -> tuple[Installation, Up]:
    """Return an installation in which the main job ran once without interruption, and that run."""
    installation = new_installation()
    up = Up(installation)
    try:
        assert up.wait() == 0, up.text
    finally:
        up.close()
    return installation, up
