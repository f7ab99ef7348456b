"""What one encoder makes of a batch of tracks, window by window as they are decoded."""

import time
import traceback
from collections.abc import Sequence
from itertools import groupby

import numpy as np

from mirpipe.audio import WindowRequest
from mirpipe.errors import PluginError, RejectedInput, result_or_error
from mirpipe.protocols import Encoder
from mirpipe.records import AudioSegment, Float32, Float64
from mirpipe.specs import EncoderSpec

WINDOWS_PER_CALL = 64
"""Bounds memory however long a track is."""

_Waiting = Sequence[tuple[int, AudioSegment]]


def window_request(spec: EncoderSpec, rms_dbfs: float) -> WindowRequest:
    """How the encoder wants to see a track of this level."""
    gain = 1.0 if spec.gain_dbfs is None else 10 ** ((spec.gain_dbfs - rms_dbfs) / 20)
    return WindowRequest(spec.sample_rate, spec.window_samples, gain)


class Vectors:
    """Takes the windows of one track after the other and gives each track its vector or its fault.

    A call of the model holds windows of one track, in fixed groups, or of several where the model
    promises by `rows_stand_alone` that this changes nothing.
    """

    def __init__(self, model: Encoder, spec: EncoderSpec) -> None:
        self.made: dict[int, Float32] = {}
        """Of each track that `finish` found complete: shape (dimension,), of unit length."""
        self.problems: dict[int, Exception] = {}
        """Of each other track: what was raised first, its frames cleared, which hold audio."""
        self.seconds = 0.0
        """Spent in the model."""
        self._model, self._spec = model, spec
        self._mixed = bool(getattr(model, "rows_stand_alone", False))
        self._waiting: list[tuple[int, AudioSegment]] = []
        self._sums: dict[int, Float64] = {}

    def add(self, track_id: int, segment: AudioSegment) -> None:
        """The track's next window; of no effect once the track has failed."""
        if track_id in self.problems:
            return
        self._waiting.append((track_id, segment))
        if len(self._waiting) == WINDOWS_PER_CALL:
            self._call()

    def end(self, track_id: int) -> None:
        """There are no more windows of this track, and there was one."""
        self._sums.setdefault(track_id, np.zeros(self._spec.dimension))
        if not self._mixed:
            self._call()

    def fail(self, track_id: int, problem: Exception) -> None:
        """The track has no vector, for this reason unless there was one before."""
        traceback.clear_frames(problem.__traceback__)
        self.problems.setdefault(track_id, problem)
        self._waiting = [(waits, segment) for waits, segment in self._waiting if waits != track_id]

    def finish(self) -> None:
        """Has `made` and `problems` hold every track; call it once, at the end of the batch."""
        self._call()
        for track_id, total in self._sums.items():
            if track_id in self.problems:
                continue
            try:
                self.made[track_id] = self._normalised(total)
            except (PluginError, RejectedInput) as problem:
                self.fail(track_id, problem)

    def _call(self) -> None:
        waiting, self._waiting = self._waiting, []
        if waiting:
            self._sum(waiting)

    def _sum(self, waiting: _Waiting) -> None:
        rows = result_or_error(self._rows, waiting)
        if isinstance(rows, Exception):
            tracks = [list(windows) for _, windows in groupby(waiting, key=lambda one: one[0])]
            if len(tracks) == 1:
                self.fail(waiting[0][0], rows)
                return
            for windows in tracks:  # alone, the one at fault is found
                self._sum(windows)
            return
        for (track_id, segment), row in zip(waiting, rows, strict=True):
            # One by one: the last bits of a product of matrices depend on what was called together.
            total = self._sums.setdefault(track_id, np.zeros(self._spec.dimension))
            total += len(segment.samples) * row

    def _rows(self, waiting: _Waiting) -> Float64:
        started = time.monotonic()
        rows = self._model.embed([segment for _, segment in waiting])
        self.seconds += time.monotonic() - started
        if rows.shape != (len(waiting), self._spec.dimension):
            raise PluginError(
                f"{self._spec.name} returned {rows.shape} for {len(waiting)} windows, "
                f"not ({len(waiting)}, {self._spec.dimension}): the plug-in is broken"
            )
        return rows.astype(np.float64)

    def _normalised(self, total: Float64) -> Float32:
        norm = float(np.linalg.norm(total))
        if not np.isfinite(norm):
            raise PluginError(f"{self._spec.name} returned numbers that are not finite")
        if norm == 0:
            raise RejectedInput(
                "zero_vector", f"{self._spec.name} gives this audio a vector of zeros"
            )
        return (total / norm).astype(np.float32)
