"""`mirpipe up` as a user runs it: real servers, real audio, a home of its own."""

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

from mirpipe.db.embedded_server import embedded_server
from mirpipe.settings import PROJECT
from tests.support.waiting import eventually

REFERENCES = [
    *("West", "Celtic Pride", "Egypt", "funk_80", "reggae_78"),
    *("小白菜（笛子）", "茉莉花（古筝）"),
]
SECONDS = 10
"""Of each track: enough for every number."""
TARGETS = ["Jazz 120 BPM", "Scottish bagpipes", "茉莉花（笛子）"]
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Place:
    """A home, the small library that belongs to it, and what else is set there."""

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
        """What the command prints; it must end well."""
        command = [sys.executable, "-m", "mirpipe.cli.main", *arguments]
        ended = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=True
        )
        return ended.stdout

    def digest(self) -> str:
        """The hash of all content; the server is stopped again."""
        try:
            return self.mirpipe("verify", "--digest").strip()
        finally:
            self.mirpipe("db", "down")

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection of the reader; the server is stopped again."""
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
        """Every process that works for this home, its Postgres included."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get("MIRPIPE_HOME") == str(self.home):
                    found.append(process)
        postgres = embedded_server(self.home).pid
        return [*found, *([psutil.Process(postgres)] if postgres else [])]


class Up:
    """A running `mirpipe up --once` whose words can be waited for."""

    def __init__(self, place: Place, *, batch_tracks: int = 64) -> None:
        library = [
            "--references",
            place.library / "reference",
            "--targets",
            place.library / "target",
        ]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mirpipe.cli.main", "up", "--once", *library],
            env={**place.environment, "MIRPIPE_BATCH_TRACKS": str(batch_tracks)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.said: list[str] = []
        self._readers = [
            threading.Thread(target=self._read, args=[stream], daemon=True)
            for stream in (self.process.stdout, self.process.stderr)
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, stream: Iterator[str]) -> None:
        self.said.extend(iter(stream))

    @property
    def text(self) -> str:
        """All that was said so far."""
        return "".join(self.said)

    def wait_for(self, pattern: str, *, seconds: float = 240) -> None:
        """Waits until it has said something that matches."""
        eventually(
            lambda: re.search(pattern, self.text) or self.process.poll() is not None,
            seconds=seconds,
        )
        assert re.search(pattern, self.text), f"ended without {pattern!r}:\n{self.text}"

    def end(self, *, seconds: float = 560) -> int:
        """Its exit code."""
        code = self.process.wait(timeout=seconds)
        for reader in self._readers:
            reader.join(timeout=10)
        return code

    def close(self) -> None:
        """Ends it where a test failed half way, and shows what it said where a test failed."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=60)
        print(self.text)


@pytest.fixture(scope="session")
def new_place(short_folder: Path) -> Callable[[], Place]:
    """Makes homes that are still empty, each with the same three targets and seven references."""

    def make() -> Place:
        folder = short_folder / f"e2e-{next(_numbers)}"
        for collection, titles in (("reference", REFERENCES), ("target", TARGETS)):
            (folder / "library" / collection).mkdir(parents=True)
            for title in titles:
                with soundfile.SoundFile(PROJECT / "demo" / collection / f"{title}.ogg") as music:
                    samples, rate = music.read(SECONDS * music.samplerate), music.samplerate
                soundfile.write(folder / "library" / collection / f"{title}.wav", samples, rate)
        return Place(folder / "home", folder / "library")

    return make


@pytest.fixture(scope="session")
def undisturbed(new_place: Callable[[], Place]) -> tuple[Place, Up]:
    """A place where the main job ran once, and all that it said."""
    place = new_place()
    up = Up(place)
    try:
        assert up.end() == 0, up.text
    finally:
        up.close()
    return place, up
