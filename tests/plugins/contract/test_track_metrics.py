"""The contract that every track metric of this machine keeps, those to come included.

Only what holds for any weights: a model with random ones may leave its range.
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
from tests.plugins.contract import installed_plugins
from tests.plugins.contract.installed_plugins import (
    different,
    names_here,
    other,
    segment,
    window_of,
)
from tests.support.synthetic_music import melody, noise

IDENTITY = {
    *("name", "version", "checkpoint_sha256", "sample_rate", "window_samples", "axes"),
    *("low", "high", "unit", "keep_tail", "pooling", "resampler", "compute_dtype"),
}
SAME = 1e-4
"""How far apart scores of the same window may lie, as a share of the range."""


@pytest.fixture(params=names_here("metric"))
def spec(request: pytest.FixtureRequest, random_weights: Path) -> TrackMetricSpec:
    return registry.TRACK_METRICS.spec(request.param)


def scores(spec: TrackMetricSpec, *segments: AudioSegment) -> Float32:
    return installed_plugins.rows("metric", spec.name, segments)


def is_same(spec: TrackMetricSpec, one: Float32, another: Float32) -> bool:
    return bool(np.abs(one - another).max() <= SAME * (spec.high - spec.low))


def windows_of_file(spec: TrackMetricSpec, path: Path) -> Iterator[AudioSegment]:
    request = audio.WindowRequest(spec.sample_rate, spec.window_samples, keep_tail=spec.keep_tail)
    return (one for _, one in audio.windows(path, [request]))


def test_the_spec_says_what_a_user_must_know(spec: TrackMetricSpec) -> None:
    assert spec.name in registry.TRACK_METRICS.names()
    assert registry.TRACK_METRICS.spec(spec.name) == spec
    assert min(spec.version, spec.sample_rate, spec.window_samples) >= 1
    assert spec.low < spec.high
    said = (spec.checkpoint, spec.unit, spec.licence_code, spec.licence_weights, spec.citation)
    assert all(each.strip() for each in said)
    assert re.fullmatch("[0-9a-f]{64}", spec.checkpoint_sha256)


def test_axes_have_names_of_their_own(spec: TrackMetricSpec) -> None:
    every = [
        axis
        for name in registry.TRACK_METRICS.names()
        for axis in registry.TRACK_METRICS.declared(name).axes
    ]
    assert spec.axes
    assert len(set(every)) == len(every)
    assert all(re.fullmatch("[a-z][a-z0-9_]*", axis) for axis in spec.axes)


@pytest.mark.parametrize("length", ["a sample", "1 s", "half a window", "a window"])
def test_a_clip_has_a_finite_score_on_every_axis(spec: TrackMetricSpec, length: str) -> None:
    samples = {
        "a sample": 1,
        "1 s": spec.sample_rate,
        "half a window": spec.window_samples // 2,
        "a window": spec.window_samples,
    }[length]
    found = scores(spec, AudioSegment(segment(spec).samples[:samples], spec.sample_rate))
    assert found.shape == (1, len(spec.axes))
    assert found.dtype == np.float32
    assert np.isfinite(found).all()


@pytest.mark.parametrize("value", [0.0, 0.5, -1.0])
def test_silence_and_a_constant_have_finite_scores(spec: TrackMetricSpec, value: float) -> None:
    assert np.isfinite(scores(spec, window_of(spec, value))).all()


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
        heard = sum(len(one.samples) for one in segments) / spec.sample_rate
        assert heard == pytest.approx(seconds, abs=0.01)
    found = scores(spec, *segments)
    assert found.shape == (len(segments), len(spec.axes))
    assert np.isfinite(found).all()


def test_a_row_depends_on_its_own_clip_alone(spec: TrackMetricSpec) -> None:
    segments = different(spec)
    alone = np.concatenate([scores(spec, one) for one in segments])
    assert is_same(spec, scores(spec, *segments), alone)
    assert is_same(spec, scores(spec, *segments[::-1]), alone[::-1])


def test_different_music_has_different_scores(spec: TrackMetricSpec) -> None:
    first, _, last = scores(spec, *different(spec))
    assert not np.array_equal(first, last)


def test_scoring_leaves_the_samples_as_they_are(spec: TrackMetricSpec) -> None:
    given = segment(spec)
    before = given.samples.copy()
    scores(spec, given)
    np.testing.assert_array_equal(given.samples, before)


def test_no_clips_give_no_rows(spec: TrackMetricSpec) -> None:
    assert scores(spec).shape == (0, len(spec.axes))


@pytest.mark.parametrize("field", [field.name for field in fields(TrackMetricSpec)])
def test_the_revision_changes_with_what_determines_a_score(
    spec: TrackMetricSpec, field: str
) -> None:
    changed = replace(spec, **{field: other(getattr(spec, field))})
    stays = registry.revision(changed) == registry.revision(spec)
    assert stays == (field not in IDENTITY)
