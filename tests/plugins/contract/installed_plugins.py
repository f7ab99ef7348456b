"""The plug-ins that this interpreter can run, and test music for encoders and track metrics."""

from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np

from mirpipe import registry
from mirpipe.models import interpreters
from mirpipe.records import AudioSegment, Float32
from mirpipe.specs import EncoderSpec, TrackMetricSpec
from tests.support.synthetic_music import melody

Spec = EncoderSpec | TrackMetricSpec

METHODS = {"encoder": "embed", "metric": "score"}
"""Name of the method that a plug-in of each kind implements."""
KINDS = {kind.kind: kind for kind in registry.KINDS if kind.kind in METHODS}
"""The plug-in kinds that take windows."""


def installed(plugins: registry.Plugins[Any, Any]) -> list[str]:
    """Return the plug-ins that are tested in this interpreter.

    `make test` runs the tests in both interpreters. A plug-in that needs libraries is tested in the
    interpreter that has them. Other plug-ins are tested only in the core interpreter, which has
    Airflow.
    """
    is_core = find_spec("airflow") is not None
    needed = {name: plugins.needs(name).libraries for name in plugins.names()}
    return [
        name
        for name, libraries in needed.items()
        if (interpreters.current_python_has(libraries) if libraries else is_core)
    ]


def names_of_installed(kind: str) -> list[str]:
    """Return the encoders or the track metrics that are tested in this interpreter."""
    return installed(KINDS[kind])


@cache
def load_once(kind: str, name: str) -> Any:
    """Return the plug-in, which is loaded once per process."""
    return KINDS[kind].load(name)


def compute_rows(kind: str, name: str, segments: Sequence[AudioSegment]) -> Float32:
    """Return one row per segment, computed by the plug-in."""
    rows: Float32 = getattr(load_once(kind, name), METHODS[kind])(segments)
    return rows


def music_segment(spec: Spec, *, windows: float = 1.0, seed: int = 0) -> AudioSegment:
    """Return a melody that lasts this number of windows."""
    seconds = windows * spec.window_samples / spec.sample_rate
    return AudioSegment(melody(seconds, spec.sample_rate, seed=seed), spec.sample_rate)


def different_segments(spec: Spec) -> list[AudioSegment]:
    """Return three segments of different music. The second one is shorter, like a track's end."""
    return [
        music_segment(spec, seed=1),
        music_segment(spec, windows=0.5, seed=2),
        music_segment(spec, seed=3),
    ]


def constant_window(spec: Spec, value: float) -> AudioSegment:
    """Return a window in which every sample has this value."""
    return AudioSegment(np.full(spec.window_samples, value, np.float32), spec.sample_rate)


def changed(value: object) -> object:
    """Return a different value of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, tuple):
        return (*value, "another")
    return f"{value} x" if isinstance(value, str) else (value or 0) + 1  # type: ignore[operator]
