"""Pools a track's windows into one vector: the mean of the window vectors, weighted by duration.

Silent parts of a track are left out before the windows are cut, and the gain is that of the other
parts, so silence has no influence on the vector. If the last window of a track is shorter than the
others, it counts less. The mean is L2-normalised.
"""

import time
import traceback
from collections.abc import Sequence
from itertools import groupby

import numpy as np

from mirpipe.audio import WindowRequest, gain_for_level
from mirpipe.errors import PluginError, RejectedInput, result_or_error
from mirpipe.protocols import Encoder
from mirpipe.records import AudioSegment, Excerpt, Float32, Float64, Silence
from mirpipe.specs import EncoderSpec
from mirpipe.stages.embed.l2_normalisation import l2_normalise
from mirpipe.statistics.length_weighted_mean import LengthWeightedMean

WINDOWS_PER_CALL = 64
"""Number of windows per model call. It limits the memory that a long track needs."""

_Windows = Sequence[tuple[int, AudioSegment]]
"""Windows, each with the id of its track."""


def window_request(
    spec: EncoderSpec, silence: Silence, excerpt: Excerpt | None = None
) -> WindowRequest:
    """Return the request for the windows that the encoder needs of a track or of an excerpt.

    `silence` describes the complete track.
    """
    gain = 1.0
    if spec.gain_dbfs is not None:
        gain = gain_for_level(silence.sounding_rms_dbfs, spec.gain_dbfs)
    return WindowRequest(
        spec.sample_rate,
        spec.window_samples,
        gain,
        start_seconds=0.0 if excerpt is None else excerpt.start_seconds,
        seconds=None if excerpt is None else excerpt.seconds,
        silent_parts=silence.parts,
    )


class WindowPooler:
    """Collects the windows of a batch of tracks for one encoder, and pools them into vectors.

    Add all windows of one track before those of the next track. Usually, a model call contains the
    windows of only one track. If the model's `rows_are_independent` is true, a row does not depend
    on the other windows in the call, so one call can contain the windows of several tracks.
    """

    def __init__(self, model: Encoder, spec: EncoderSpec) -> None:
        self.vectors: dict[int, Float32] = {}
        """Vectors by track id, shape (dimension,), of length 1. Complete after `finish`."""
        self.failures: dict[int, Exception] = {}
        """First error of each failed track, by track id.

        The stack frames of these errors are cleared, because they contain audio.
        """
        self.model_seconds = 0.0
        """Time spent in the model, in seconds."""
        self._model, self._spec = model, spec
        self._shortest_samples = round(spec.min_seconds * spec.sample_rate)
        self._mixes_tracks = bool(getattr(model, "rows_are_independent", False))
        self._waiting: list[tuple[int, AudioSegment]] = []
        self._means: dict[int, LengthWeightedMean] = {}

    def add(self, track_id: int, segment: AudioSegment) -> None:
        """Add the next window of a track. The window is ignored if the track has already failed.

        A track whose only window is shorter than the encoder requires is rejected.
        """
        if track_id in self.failures:
            return
        if track_id not in self._means:
            self._means[track_id] = LengthWeightedMean(self._spec.dimension)
            if len(segment.samples) < min(self._shortest_samples, self._spec.window_samples):
                self._reject_short_track(track_id, len(segment.samples))
                return
        self._waiting.append((track_id, segment))
        if len(self._waiting) == WINDOWS_PER_CALL:
            self._call_model_on_waiting()

    def complete_track(self, track_id: int) -> None:
        """Mark the track as complete: all its windows have been added."""
        if track_id not in self._means and track_id not in self.failures:
            self._reject_short_track(track_id, 0)
        if not self._mixes_tracks:
            self._call_model_on_waiting()

    def fail_track(self, track_id: int, error: Exception) -> None:
        """Record that the track has no vector because of this error. The first error is kept."""
        traceback.clear_frames(error.__traceback__)
        self.failures.setdefault(track_id, error)
        self._waiting = [
            (waiting_id, segment) for waiting_id, segment in self._waiting if waiting_id != track_id
        ]

    def finish(self) -> None:
        """Complete `vectors` and `failures`. Call this method once, at the end of the batch."""
        self._call_model_on_waiting()
        for track_id, mean in self._means.items():
            if track_id in self.failures:
                continue
            try:
                # The sum has the same direction as the mean, so it need not be divided by the total
                # length.
                self.vectors[track_id] = l2_normalise(mean.weighted_sum, encoder=self._spec.name)
            except (PluginError, RejectedInput) as error:
                self.fail_track(track_id, error)

    def _reject_short_track(self, track_id: int, samples: int) -> None:
        seconds = samples / self._spec.sample_rate
        error = RejectedInput(
            "too_little_sound",
            f"Without silence, this audio has only {seconds:.2f} s, but the encoder "
            f"{self._spec.name} needs at least {self._spec.min_seconds:g} s. Use audio with more "
            "music.",
        )
        self.fail_track(track_id, error)

    def _call_model_on_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        if waiting:
            self._pool(waiting)

    def _pool(self, windows: _Windows) -> None:
        """Call the model with these windows, and add the resulting rows to the track means."""
        rows = result_or_error(self._embed, windows)
        if isinstance(rows, Exception):
            tracks = [list(group) for _, group in groupby(windows, key=lambda window: window[0])]
            if len(tracks) == 1:
                self.fail_track(windows[0][0], rows)
                return
            # A separate call for each track shows which track causes the error.
            for track_windows in tracks:
                self._pool(track_windows)
            return
        for (track_id, segment), row in zip(windows, rows, strict=True):
            mean = self._means[track_id]
            # Rows are added one by one, so that the last bits of the sum do not depend on how the
            # windows were divided into calls.
            mean.add(row[None], np.array([len(segment.samples)], np.float64))

    def _embed(self, windows: _Windows) -> Float64:
        started = time.monotonic()
        rows = self._model.embed([segment for _, segment in windows])
        self.model_seconds += time.monotonic() - started
        expected = (len(windows), self._spec.dimension)
        if rows.shape != expected:
            raise PluginError(
                f"The encoder {self._spec.name} returned rows of shape {rows.shape} for "
                f"{len(windows)} windows, but the expected shape is {expected}: the plug-in is "
                "broken. Correct its method `embed`."
            )
        return rows.astype(np.float64)
