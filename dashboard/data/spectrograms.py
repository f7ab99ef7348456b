"""Spectrograms of files. A process computes each of them, and a cache keeps the latest ones."""

import os
import subprocess
import sys
import threading
from io import BytesIO
from pathlib import Path

import numpy as np
import streamlit as st

from mirpipe.errors import MirpipeError
from mirpipe.files.addresses import Address, parse_address
from mirpipe.records import Spectrogram
from mirpipe.settings import child_environment, settings
from mirpipe.storage.local_copies import local_copy

TIME_LIMIT_SECONDS = 30
MAX_ENTRIES = 64
"""Number of spectrograms in the cache. Each has at most 46 kB."""

# The processes run one after the other, because each can need 500 MB for a moment.
_ONE_AT_A_TIME = threading.Lock()


class SpectrogramFailed(MirpipeError):
    """A file has no spectrogram. The message states the reason."""


def spectrogram(address: Address, etag: str | None) -> Spectrogram:
    """Return the spectrogram of the first two minutes of a file.

    `etag` selects the version of an object. An object is downloaded only if its spectrogram is not
    in the cache. Raises SpectrogramFailed if the file cannot be decoded in time, and the errors of
    `local_copy`.
    """
    if not isinstance(address, Path):
        return _spectrogram(os.fsencode(address), etag)
    try:
        status = address.stat()
    except OSError:
        raise SpectrogramFailed("The file cannot be read.") from None
    return _spectrogram(os.fsencode(address), None, status.st_size, status.st_mtime_ns)


# The size and the time of a local file are arguments, so that a changed file is read again.
@st.cache_data(max_entries=MAX_ENTRIES, show_spinner=False)
def _spectrogram(
    address: bytes,
    etag: str | None,
    size: int = 0,  # noqa: ARG001
    mtime_ns: int = 0,  # noqa: ARG001
) -> Spectrogram:
    with local_copy(parse_address(address), etag) as path:
        return _compute(path)


def _compute(path: Path) -> Spectrogram:
    program = [sys.executable, "-P", "-m", "mirpipe.audio.spectrogram_picture"]
    if not _ONE_AT_A_TIME.acquire(timeout=TIME_LIMIT_SECONDS):
        raise SpectrogramFailed("Other spectrograms are still being computed. Try again.")
    try:
        done = subprocess.run(
            [*program, path],
            capture_output=True,
            timeout=TIME_LIMIT_SECONDS,
            env=child_environment(without="AIRFLOW", **settings().as_environment()),
        )
    except subprocess.TimeoutExpired:
        raise SpectrogramFailed(
            f"Decoding the file took longer than {TIME_LIMIT_SECONDS} seconds."
        ) from None
    finally:
        _ONE_AT_A_TIME.release()
    if done.returncode:
        raise SpectrogramFailed("The file cannot be decoded.")
    with np.load(BytesIO(done.stdout), allow_pickle=False) as arrays:
        return Spectrogram(
            arrays["levels"],
            float(arrays["seconds"]),
            float(arrays["lowest_hz"]),
            float(arrays["highest_hz"]),
        )
