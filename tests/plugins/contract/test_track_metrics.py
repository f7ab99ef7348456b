"""Contract tests that every installed track metric must pass.

The tests are also run with random weights. They therefore do not check the range of the scores,
because scores from random weights can be outside it.
"""

import re
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from mirpipe import audio, registry
from mirpipe.records import AudioSegment, Float32
from mirpipe.specs import TrackMetricSpec
from tests.plugins.contract.installed_plugins import (
    changed,
    compute_rows,
    constant_window,
    different_segments,
    music_segment,
    names_of_installed,
)
from tests.support.synthetic_music import melody, noise

IN_REVISION = {
    *("name", "version", "checkpoint_sha256", "sample_rate", "window_samples", "axes"),
    *("low", "high", "unit", "keep_tail", "min_seconds", "pooling", "resampler", "compute_dtype"),
}
SAME = 1e-4
"""Largest allowed difference between two scores of the same window, as a share of the range."""


@pytest.fixture(params=names_of_installed("metric"))
def spec(request: pytest.FixtureRequest, random_weights: Path) -> TrackMetricSpec:
    """Return the spec of an installed track metric; each test runs once per track metric."""
    return registry.TRACK_METRICS.spec(request.param)


def scores(spec: TrackMetricSpec, *segments: AudioSegment) -> Float32:
    """Return one row of scores per segment."""
    return compute_rows("metric", spec.name, segments)


def is_same(spec: TrackMetricSpec, rows: Float32, other_rows: Float32) -> bool:
    """Return whether no score differs by more than SAME."""
    return bool(np.abs(rows - other_rows).max() <= SAME * (spec.high - spec.low))


def windows_of_file(spec: TrackMetricSpec, path: Path) -> Iterator[AudioSegment]:
    request = audio.WindowRequest(spec.sample_rate, spec.window_samples, keep_tail=spec.keep_tail)
    return (segment for _, segment in audio.read_windows(path, [request]))


def test_the_spec_has_all_information_for_users(spec: TrackMetricSpec) -> None:
    assert spec.name in registry.TRACK_METRICS.names()
    assert registry.TRACK_METRICS.spec(spec.name) == spec
    assert min(spec.version, spec.sample_rate, spec.window_samples) >= 1
    assert spec.low < spec.high
    texts = (spec.checkpoint, spec.unit, spec.licence_code, spec.licence_weights, spec.citation)
    assert all(text.strip() for text in texts)
    assert re.fullmatch("[0-9a-f]{64}", spec.checkpoint_sha256)


def test_no_two_axes_have_the_same_name(spec: TrackMetricSpec) -> None:
    axes_of_all_metrics = [
        axis
        for name in registry.TRACK_METRICS.names()
        for axis in registry.TRACK_METRICS.declared(name).axes
    ]
    assert spec.axes
    assert len(set(axes_of_all_metrics)) == len(axes_of_all_metrics)
    assert all(re.fullmatch("[a-z][a-z0-9_]*", axis) for axis in spec.axes)


@pytest.mark.parametrize("length", ["a sample", "1 s", "half a window", "a window"])
def test_a_segment_has_a_finite_score_on_every_axis(spec: TrackMetricSpec, length: str) -> None:
    samples = {
        "a sample": 1,
        "1 s": spec.sample_rate,
        "half a window": spec.window_samples // 2,
        "a window": spec.window_samples,
    }[length]
    rows = scores(spec, AudioSegment(music_segment(spec).samples[:samples], spec.sample_rate))
    assert rows.shape == (1, len(spec.axes))
    assert rows.dtype == np.float32
    assert np.isfinite(rows).all()


@pytest.mark.parametrize("value", [0.0, 0.5, -1.0])
def test_silence_and_a_constant_have_finite_scores(spec: TrackMetricSpec, value: float) -> None:
    assert np.isfinite(scores(spec, constant_window(spec, value))).all()


def test_near_silence_has_finite_scores(spec: TrackMetricSpec) -> None:
    hiss = noise(spec.window_samples / spec.sample_rate, spec.sample_rate, dbfs=-140)
    assert np.isfinite(scores(spec, AudioSegment(hiss, spec.sample_rate))).all()


@pytest.mark.parametrize("seconds", [1, 10, 61])
def test_a_file_of_any_length_is_scored(
    spec: TrackMetricSpec, tmp_path: Path, seconds: int
) -> None:
    soundfile.write(tmp_path / "a.wav", melody(seconds, 22_050), 22_050)
    segments = list(windows_of_file(spec, tmp_path / "a.wav"))
    if spec.keep_tail:
        scored_seconds = sum(len(segment.samples) for segment in segments) / spec.sample_rate
        assert scored_seconds == pytest.approx(seconds, abs=0.01)
    rows = scores(spec, *segments)
    assert rows.shape == (len(segments), len(spec.axes))
    assert np.isfinite(rows).all()


def test_a_row_depends_only_on_its_own_segment(spec: TrackMetricSpec) -> None:
    segments = different_segments(spec)
    alone = np.concatenate([scores(spec, segment) for segment in segments])
    assert is_same(spec, scores(spec, *segments), alone)
    assert is_same(spec, scores(spec, *segments[::-1]), alone[::-1])


def test_different_music_has_different_scores(spec: TrackMetricSpec) -> None:
    first, _, last = scores(spec, *different_segments(spec))
    assert not np.array_equal(first, last)


def test_scoring_does_not_change_the_samples(spec: TrackMetricSpec) -> None:
    segment = music_segment(spec)
    before = segment.samples.copy()
    scores(spec, segment)
    np.testing.assert_array_equal(segment.samples, before)


def test_no_segments_give_no_rows(spec: TrackMetricSpec) -> None:
    assert scores(spec).shape == (0, len(spec.axes))


@pytest.mark.parametrize("field", [field.name for field in fields(TrackMetricSpec)])
def test_the_revision_changes_with_each_field_that_determines_a_score(
    spec: TrackMetricSpec, field: str
) -> None:
    other_spec = replace(spec, **{field: changed(getattr(spec, field))})
    is_same_revision = registry.revision(other_spec) == registry.revision(spec)
    assert is_same_revision == (field not in IN_REVISION)
