"""What the contracts of encoders and of track metrics share: the plug-ins, and music for them."""

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
"""By kind, what its plug-ins implement."""
KINDS = {kind.kind: kind for kind in registry.KINDS if kind.kind in METHODS}


def belong_here(plugins: registry.Plugins[Any, Any]) -> list[str]:
    """The plug-ins whose libraries this interpreter has; `make test` runs tests in both.

    What needs none always runs in core, which has Airflow, and is tested there alone.
    """
    is_core = find_spec("airflow") is not None
    needed = {name: plugins.needs(name).libraries for name in plugins.names()}
    return [n for n, each in needed.items() if (interpreters.is_here(each) if each else is_core)]


def names_here(kind: str) -> list[str]:
    """The encoders or the track metrics that are tested here."""
    return belong_here(KINDS[kind])


@cache
def loaded(kind: str, name: str) -> Any:
    """The plug-in, loaded once a process."""
    return KINDS[kind].load(name)


def rows(kind: str, name: str, segments: Sequence[AudioSegment]) -> Float32:
    """What the plug-in makes of the segments."""
    made: Float32 = getattr(loaded(kind, name), METHODS[kind])(segments)
    return made


def segment(spec: Spec, *, windows: float = 1.0, seed: int = 0) -> AudioSegment:
    seconds = windows * spec.window_samples / spec.sample_rate
    return AudioSegment(melody(seconds, spec.sample_rate, seed=seed), spec.sample_rate)


def different(spec: Spec) -> list[AudioSegment]:
    """Different music, and the shorter segment that ends a track."""
    return [segment(spec, seed=1), segment(spec, windows=0.5, seed=2), segment(spec, seed=3)]


def other(value: object) -> object:
    """A value of the same type that is not the same."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, tuple):
        return (*value, "another")
    return f"{value} x" if isinstance(value, str) else (value or 0) + 1  # type: ignore[operator]


def window_of(spec: Spec, value: float) -> AudioSegment:
    """A window of one number."""
    return AudioSegment(np.full(spec.window_samples, value, np.float32), spec.sample_rate)
