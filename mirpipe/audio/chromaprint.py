"""Computes acoustic fingerprints with the library libchromaprint.

A fingerprint is a sequence of 32-bit values, eight per second. Each value describes the chroma of
2.7 s of audio. The library is a dependency of Debian's ffmpeg. It is called directly, because
starting ffmpeg takes half of the time, and pyacoustid returns only compressed fingerprints.
Source: Lalinský, https://oxygene.sk/2011/01/how-does-chromaprint-work/.
"""

import ctypes
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from mirpipe.records import Int16, UInt32

ALGORITHM = 1
"""Chromaprint's number of the algorithm. All fingerprints of the service AcoustID use this one."""
SAMPLE_RATE = 11_025
"""Chromaprint's own sample rate, in Hz. It resamples audio at any other rate slowly."""
_FILE = "libchromaprint.so.1"
_PROBE_VALUES = (
    "44abacf244afec7254837872ec837872ecf1f8f3ec2058f72d2038f42e0c38f42e082bf00e182ef0"
    "06e92ef006daaef0068ebe7526969c7567a29c7575a19c75f5e05cd1e5701cd7a7301ff7a7111ef5"
    "e70716f1e74adef377cabef347eaaef344abadf244afecf244836872"
)
"""Values of `_probe_samples` by Chromaprint 1.5.1."""
_EQUAL_SHARE = 0.95
"""Rounding on another processor may change a few bits."""
_POINTER = ctypes.c_void_p
_VALUES = ctypes.POINTER(ctypes.c_uint32)
_SIGNATURES = {
    "chromaprint_new": (_POINTER, [ctypes.c_int]),
    "chromaprint_start": (ctypes.c_int, [_POINTER, ctypes.c_int, ctypes.c_int]),
    "chromaprint_feed": (ctypes.c_int, [_POINTER, ctypes.c_char_p, ctypes.c_int]),
    "chromaprint_finish": (ctypes.c_int, [_POINTER]),
    "chromaprint_get_raw_fingerprint": (
        ctypes.c_int,
        [_POINTER, ctypes.POINTER(_VALUES), ctypes.POINTER(ctypes.c_int)],
    ),
    "chromaprint_dealloc": (None, [_POINTER]),
    "chromaprint_free": (None, [_POINTER]),
}
"""Type of the result and of the arguments of each function that is called (chromaprint.h)."""


class Chromaprint(NamedTuple):
    """The installed library."""

    library: ctypes.CDLL
    revision: str
    """Revision of its fingerprints. A new version changes it only if its fingerprints differ."""


class Computation:
    """One fingerprint that is being computed. After a failed call, it has no result."""

    def __init__(self, library: ctypes.CDLL, context: int | None) -> None:
        """`context` is a result of `chromaprint_new`."""
        self._library, self._context = library, context
        self._succeeds = bool(context and library.chromaprint_start(context, SAMPLE_RATE, 1))

    def add(self, samples: Int16) -> None:
        """Add the next mono samples at `SAMPLE_RATE`, shape (n,)."""
        if self._succeeds:
            feed = self._library.chromaprint_feed
            self._succeeds = bool(feed(self._context, samples.tobytes(), len(samples)))

    def finish(self) -> bytes | None:
        """Return the values as little-endian integers, or None if a call has failed."""
        values, count = _VALUES(), ctypes.c_int()
        read = self._library.chromaprint_get_raw_fingerprint
        if not (
            self._succeeds
            and self._library.chromaprint_finish(self._context)
            and read(self._context, ctypes.byref(values), ctypes.byref(count))
        ):
            return None
        frames: bytes = np.array(values[: count.value], "<u4").tobytes()
        self._library.chromaprint_dealloc(values)
        return frames


@contextmanager
def computing(library: ctypes.CDLL) -> Iterator[Computation]:
    """Yield a fingerprint that is being computed. Its memory is freed when the context ends."""
    context = library.chromaprint_new(ALGORITHM)
    try:
        yield Computation(library, context)
    finally:
        library.chromaprint_free(context)


def find_library() -> Chromaprint | None:
    """Return the library that is installed, or None if there is none."""
    library = _load()
    revision = None if library is None else _revision(library)
    return Chromaprint(library, revision) if library and revision else None


@lru_cache
def _load() -> ctypes.CDLL | None:
    try:
        library = ctypes.CDLL(_FILE)
    except OSError:  # The library is not installed, or one that it needs.
        return None
    for name, (result, arguments) in _SIGNATURES.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


@lru_cache
def _revision(library: ctypes.CDLL) -> str | None:
    with computing(library) as computation:
        computation.add(_probe_samples())
        frames = computation.finish()
    if not frames:
        return None
    expected = bytes.fromhex(_PROBE_VALUES)
    name = f"chromaprint-{ALGORITHM}"
    if len(frames) == len(expected) and _share_of_equal_bits(frames, expected) >= _EQUAL_SHARE:
        return name
    return f"{name}-{hashlib.sha256(frames).hexdigest()[:8]}"


def _share_of_equal_bits(frames: bytes, others: bytes) -> float:
    difference = np.frombuffer(frames, np.uint8) ^ np.frombuffer(others, np.uint8)
    return 1 - float(np.unpackbits(difference).mean())


def _probe_samples() -> Int16:
    """Return 6 s of a tune in three voices, shape (n,)."""
    time = np.arange(6 * SAMPLE_RATE) / SAMPLE_RATE
    steps = (time * 4).astype(np.int64)
    voices = [(7 * steps * (voice + 1) + 5 * voice) % 12 + 12 * voice for voice in range(3)]
    waves = [np.sin(2 * np.pi * 220 * 2 ** (voice / 12) * time) for voice in voices]
    samples: Int16 = (8000 * np.add.reduce(waves)).astype(np.int16)
    return samples


def to_values(frames: bytes) -> UInt32:
    """Return the values of a stored fingerprint, shape (n,)."""
    return np.frombuffer(frames, "<u4")
