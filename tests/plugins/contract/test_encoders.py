"""Contract tests that every installed encoder must pass."""

import hashlib
import re
from dataclasses import fields, replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from mirpipe import registry
from mirpipe.protocols import Encoder
from mirpipe.records import AudioSegment, Float32
from mirpipe.specs import EncoderSpec
from tests.plugins.contract import installed_plugins
from tests.plugins.contract.installed_plugins import (
    changed,
    constant_window,
    different_segments,
    music_segment,
    names_of_installed,
)
from tests.support.synthetic_music import noise

NAMES = names_of_installed("encoder")

IN_REVISION = {
    *("name", "version", "checkpoint_sha256", "sample_rate", "window_samples"),
    *("gain_dbfs", "min_seconds", "pooling", "resampler", "compute_dtype"),
}
SAME = 0.99999
"""Lowest cosine similarity at which two rows count as the same."""


def load_once(name: str) -> Encoder:
    """Return the encoder, which is loaded once per process."""
    encoder: Encoder = installed_plugins.load_once("encoder", name)
    return encoder


@pytest.fixture(params=NAMES)
def spec(request: pytest.FixtureRequest, random_weights: Path) -> EncoderSpec:
    """Return the spec of an installed encoder; each test runs once per encoder."""
    return registry.ENCODERS.spec(request.param)


def cosine(row: Float32, other_row: Float32) -> float:
    return float(row @ other_row / (np.linalg.norm(row) * np.linalg.norm(other_row)))


def test_the_spec_has_all_information_for_users(spec: EncoderSpec) -> None:
    assert spec.name in registry.ENCODERS.names()
    assert registry.ENCODERS.spec(spec.name) == spec
    assert min(spec.version, spec.sample_rate, spec.window_samples, spec.dimension) >= 1
    for text in (spec.checkpoint, spec.licence_code, spec.licence_weights, spec.citation):
        assert text.strip()
    assert re.fullmatch("[0-9a-f]{64}", spec.checkpoint_sha256)


def test_shipped_weights_have_the_sha256_of_the_spec(spec: EncoderSpec) -> None:
    if not registry.ENCODERS.needs(spec.name).weights:
        shipped = files("mirpipe.plugins.encoders").joinpath("weights", spec.checkpoint)
        # Some plug-ins have no weights at all.
        weights = shipped.read_bytes() if shipped.is_file() else b""
        assert hashlib.sha256(weights).hexdigest() == spec.checkpoint_sha256


@pytest.mark.parametrize("length", ["1 s", "half a window", "a window"])
def test_a_segment_gives_a_finite_row_that_is_not_zero(spec: EncoderSpec, length: str) -> None:
    one_second = spec.sample_rate / spec.window_samples
    windows = {"1 s": one_second, "half a window": 0.5, "a window": 1.0}[length]
    rows = load_once(spec.name).embed([music_segment(spec, windows=windows)])
    assert rows.shape == (1, spec.dimension)
    assert rows.dtype == np.float32
    assert np.isfinite(rows).all()
    assert np.linalg.norm(rows) > 0


@pytest.mark.parametrize("dbfs", [-90.0, -140.0])
def test_near_silence_gives_a_finite_row_that_is_not_zero(spec: EncoderSpec, dbfs: float) -> None:
    seconds = spec.window_samples / spec.sample_rate
    hiss = AudioSegment(noise(seconds, spec.sample_rate, dbfs=dbfs), spec.sample_rate)
    rows = load_once(spec.name).embed([hiss])
    assert np.isfinite(rows).all()
    assert np.linalg.norm(rows) > 0


def test_a_pause_of_digital_silence_gives_a_finite_row(spec: EncoderSpec) -> None:
    assert np.isfinite(load_once(spec.name).embed([constant_window(spec, 0.0)])).all()


def test_a_row_depends_only_on_its_own_segment(spec: EncoderSpec) -> None:
    segments = different_segments(spec)
    encoder = load_once(spec.name)
    alone = [encoder.embed([segment])[0] for segment in segments]
    for row, row_alone in zip(encoder.embed(segments), alone, strict=True):
        assert cosine(row, row_alone) >= SAME
    for row, row_alone in zip(encoder.embed(segments[::-1]), alone[::-1], strict=True):
        assert cosine(row, row_alone) >= SAME


def test_different_music_gives_different_rows(spec: EncoderSpec) -> None:
    first, _, last = load_once(spec.name).embed(different_segments(spec))
    assert cosine(first, last) < SAME


def test_embedding_does_not_change_the_samples(spec: EncoderSpec) -> None:
    segment = music_segment(spec)
    before = segment.samples.copy()
    load_once(spec.name).embed([segment])
    np.testing.assert_array_equal(segment.samples, before)


def test_no_segments_give_no_rows(spec: EncoderSpec) -> None:
    assert load_once(spec.name).embed([]).shape == (0, spec.dimension)


@pytest.mark.parametrize("field", [field.name for field in fields(EncoderSpec)])
def test_the_revision_changes_with_each_field_that_determines_a_vector(
    spec: EncoderSpec, field: str
) -> None:
    other_spec = replace(spec, **{field: changed(getattr(spec, field))})
    is_same = registry.revision(other_spec) == registry.revision(spec)
    assert is_same == (field not in IN_REVISION)
