"""The uploaded file of a search: a temporary file of this session, with a link to its audio.

It is deleted when the visitor removes it or uploads another one, and when the page's connection
ends.
"""

import json
import subprocess
import sys
from base64 import b64decode
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import streamlit as st

from dashboard.data.audio_ticket import audio_ticket
from mirpipe.db import queries
from mirpipe.settings import child_environment, settings

TIME_LIMIT_SECONDS = 60
"""Time limit for measuring the file. A file that takes longer is searched, but not played."""


@dataclass(frozen=True, eq=False)
class QueryFile:
    """An uploaded file in a temporary folder."""

    name: str
    """Name of the file on the visitor's machine."""
    path: Path
    sha256: str
    """SHA-256 of the file, in hexadecimal."""
    location: queries.FileLocation | None
    """What the player needs to know. None if the file cannot be decoded in time."""
    picture: queries.Picture | None
    """The outline."""


def store(name: str, content: memoryview) -> QueryFile:
    """Write the content into a temporary file, which replaces the file before it."""
    forget()
    digest = sha256(content).hexdigest()
    path = Path(_folder().name) / digest
    path.write_bytes(content)
    location, picture = _measured(name, path, digest)
    if location is not None:
        audio_ticket().uploads[digest] = location
    return QueryFile(name, path, digest, location, picture)


def forget() -> None:
    """Delete the file of this session, if there is one."""
    audio_ticket().uploads.clear()
    for path in Path(_folder().name).iterdir():
        path.unlink()


@st.cache_resource(scope="session", on_release=TemporaryDirectory.cleanup, show_spinner=False)
def _folder() -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="mirpipe-query-")


def _measured(
    name: str, path: Path, digest: str
) -> tuple[queries.FileLocation | None, queries.Picture | None]:
    """Return where the file is and its outline. Both are None if it cannot be decoded in time."""
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "mirpipe.audio.printed_facts", path],
            capture_output=True,
            timeout=TIME_LIMIT_SECONDS,
            env=child_environment(without="AIRFLOW", **settings().as_environment()),
        )
    except subprocess.TimeoutExpired:
        return None, None
    if done.returncode:
        return None, None
    facts = json.loads(done.stdout)
    pairs = np.frombuffer(b64decode(facts.pop("outline")), np.int8).reshape(-1, 2)
    location = queries.FileLocation(
        track_id=0,
        content_sha256=digest,
        path=path,
        shown=name,
        size=path.stat().st_size,
        etag=None,
        has_guessed_tags=False,
        **facts,
    )
    return location, queries.Picture(np.float32(1 / 127) * pairs, None, None)
