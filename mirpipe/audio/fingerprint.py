"""Computes the acoustic fingerprint of a track while it is decoded."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import numpy as np

from mirpipe.audio import chromaprint
from mirpipe.records import Fingerprint, Float32

MIN_VALUES = 40
"""Smallest number of values, for 7.6 s of audio. Tracks are compared over at least this length."""
SILENT_VALUE = 627_964_279
"""Chromaprint's value for digital silence."""


class FingerprintMeter:
    """Sends mono audio to ffmpeg as it is decoded. Memory use does not grow with the length."""

    def __init__(
        self, process: subprocess.Popen[bytes] | None, revision: str, *, has_failed: bool = False
    ) -> None:
        """Without a process, nothing is computed. `has_failed`: it could not be started."""
        self._process, self._revision = process, revision
        self._has_failed = has_failed

    def add(self, mono: Float32) -> None:
        """Add the track's next samples, shape (n,), with full scale at ±1."""
        if self._process is None or self._has_failed:
            return
        assert self._process.stdin is not None
        samples = np.clip(mono * 32768, -32768, 32767).astype("<i2")
        try:
            self._process.stdin.write(samples.tobytes())
        except BrokenPipeError:
            self._has_failed = True

    def fingerprint(self) -> Fingerprint | None:
        """Return the fingerprint, or the reason why there is none: failed, too_short or silent.

        The result is None if nothing was computed. If ffmpeg has failed, the revision is empty, so
        that the fingerprint is computed again.
        """
        if self._has_failed:
            return Fingerprint("", None, "failed")
        if self._process is None:
            return None
        frames = self._process.communicate()[0]
        if self._process.returncode != 0 or len(frames) % 4:
            return Fingerprint("", None, "failed")
        values = chromaprint.to_values(frames)
        if len(values) < MIN_VALUES:
            return Fingerprint(self._revision, None, "too_short")
        if np.count_nonzero(values != SILENT_VALUE) < MIN_VALUES:
            return Fingerprint(self._revision, None, "silent")
        return Fingerprint(self._revision, frames)


@contextmanager
def fingerprinting(sample_rate: int, *, is_wanted: bool = True) -> Iterator[FingerprintMeter]:
    """Yield a meter for audio at this sample rate.

    It computes nothing if the fingerprint is not wanted, or if ffmpeg with Chromaprint is missing.
    ffmpeg is stopped when the context ends.
    """
    found = chromaprint.find_program() if is_wanted else None
    if found is None:
        yield FingerprintMeter(None, "")
        return
    try:
        process = chromaprint.start(found.program, sample_rate)
    except OSError:  # Such as too many processes, or an ffmpeg that is being replaced.
        yield FingerprintMeter(None, found.revision, has_failed=True)
        return
    try:
        yield FingerprintMeter(process, found.revision)
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            with suppress(BrokenPipeError):  # Samples that ffmpeg has not read are lost.
                pipe.close()
