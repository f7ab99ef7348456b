"""The contract that every encoder of this machine keeps, those to come included."""

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
    different,
    names_here,
    other,
    segment,
    window_of,
)
from tests.support.synthetic_music import noise

NAMES = names_here("encoder")

IDENTITY = {
    *("name", "version", "checkpoint_sha256", "sample_rate", "window_samples"),
    *("gain_dbfs", "pooling", "resampler", "compute_dtype"),
}
SAME = 0.99999


def loaded(name: str) -> Encoder:
    encoder: Encoder = installed_plugins.loaded("encoder", name)
    return encoder


@pytest.fixture(params=NAMES)
def spec(request: pytest.FixtureRequest, random_weights: Path) -> EncoderSpec:
    return registry.ENCODERS.spec(request.param)


def cosine(one: Float32, other: Float32) -> float:
    return float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))


def test_the_spec_says_what_a_user_must_know(spec: EncoderSpec) -> None:
    assert spec.name in registry.ENCODERS.names()
    assert registry.ENCODERS.spec(spec.name) == spec
    assert min(spec.version, spec.sample_rate, spec.window_samples, spec.dimension) >= 1
    for said in (spec.checkpoint, spec.licence_code, spec.licence_weights, spec.citation):
        assert said.strip()
    assert re.fullmatch("[0-9a-f]{64}", spec.checkpoint_sha256)


def test_weights_that_need_no_pull_are_shipped_and_those_of_the_spec(spec: EncoderSpec) -> None:
    if not registry.ENCODERS.needs(spec.name).weights:
        shipped = files("mirpipe.plugins.encoders").joinpath("weights", spec.checkpoint)
        held = shipped.read_bytes() if shipped.is_file() else b""  # it has none at all
        assert hashlib.sha256(held).hexdigest() == spec.checkpoint_sha256


@pytest.mark.parametrize("length", ["1 s", "half a window", "a window"])
def test_a_clip_gives_a_finite_row_that_is_not_zero(spec: EncoderSpec, length: str) -> None:
    one_second = spec.sample_rate / spec.window_samples
    windows = {"1 s": one_second, "half a window": 0.5, "a window": 1.0}[length]
    rows = loaded(spec.name).embed([segment(spec, windows=windows)])
    assert rows.shape == (1, spec.dimension)
    assert rows.dtype == np.float32
    assert np.isfinite(rows).all()
    assert np.linalg.norm(rows) > 0


@pytest.mark.parametrize("dbfs", [-90.0, -140.0])
def test_near_silence_gives_a_finite_row_that_is_not_zero(spec: EncoderSpec, dbfs: float) -> None:
    seconds = spec.window_samples / spec.sample_rate
    hiss = AudioSegment(noise(seconds, spec.sample_rate, dbfs=dbfs), spec.sample_rate)
    rows = loaded(spec.name).embed([hiss])
    assert np.isfinite(rows).all()
    assert np.linalg.norm(rows) > 0


def test_a_pause_of_digital_silence_gives_a_finite_row(spec: EncoderSpec) -> None:
    assert np.isfinite(loaded(spec.name).embed([window_of(spec, 0.0)])).all()


def test_a_row_depends_on_its_own_clip_alone(spec: EncoderSpec) -> None:
    segments = different(spec)
    encoder = loaded(spec.name)
    alone = [encoder.embed([one])[0] for one in segments]
    for row, same in zip(encoder.embed(segments), alone, strict=True):
        assert cosine(row, same) >= SAME
    for row, same in zip(encoder.embed(segments[::-1]), alone[::-1], strict=True):
        assert cosine(row, same) >= SAME


def test_different_music_gives_different_rows(spec: EncoderSpec) -> None:
    first, _, last = loaded(spec.name).embed(different(spec))
    assert cosine(first, last) < SAME


def test_embedding_leaves_the_samples_as_they_are(spec: EncoderSpec) -> None:
    given = segment(spec)
    before = given.samples.copy()
    loaded(spec.name).embed([given])
    np.testing.assert_array_equal(given.samples, before)


def test_no_clips_give_no_rows(spec: EncoderSpec) -> None:
    assert loaded(spec.name).embed([]).shape == (0, spec.dimension)


@pytest.mark.parametrize("field", [field.name for field in fields(EncoderSpec)])
def test_the_revision_changes_with_what_determines_a_vector(spec: EncoderSpec, field: str) -> None:
    changed = replace(spec, **{field: other(getattr(spec, field))})
    is_same = registry.revision(changed) == registry.revision(spec)
    assert is_same == (field not in IDENTITY)
