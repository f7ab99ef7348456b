"""Contract tests that every installed captioner must pass."""

import hashlib
import re
from dataclasses import fields, replace
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from mirpipe import registry
from mirpipe.protocols import Captioner
from mirpipe.records import AudioSegment, CaptionInput, Features, Note
from mirpipe.specs import CaptionerSpec
from tests.plugins.contract.installed_plugins import installed
from tests.support.synthetic_music import melody

NAMES = installed(registry.CAPTIONERS)

IN_REVISION = {
    *("name", "version", "checkpoint_sha256", "sample_rate", "window_samples", "instruction"),
    "compute_dtype",
}
SECONDS = 4.0


@cache
def load_once(name: str) -> Captioner:
    """Return the captioner, which is loaded once per process."""
    return registry.CAPTIONERS.load(name)


@pytest.fixture(params=NAMES)
def spec(request: pytest.FixtureRequest, random_weights: Path) -> CaptionerSpec:
    """Return the spec of an installed captioner; each test runs once per captioner."""
    return registry.CAPTIONERS.spec(request.param)


def caption_input(
    spec: CaptionerSpec, *, seed: int, bpm: float, seconds: float = SECONDS
) -> CaptionInput:
    """Return a captioner input: a melody with invented features."""
    features = Features(
        tempo_bpm=bpm,
        beat_seconds=tuple(np.arange(0.0, seconds, 60 / bpm).tolist()),
        meter=4,
        key="A minor",
        key_clarity=0.2,
        voiced_fraction=0.9,
        notes=(Note(0.0, 1.0, 69, 0.5),),
        onsets_per_second=4.0,
        brightness_hz=1800.0,
        reasons={},
    )
    return CaptionInput(
        AudioSegment(melody(seconds, spec.sample_rate, seed=seed), spec.sample_rate), features
    )


def different_inputs(spec: CaptionerSpec) -> list[CaptionInput]:
    """Return three inputs with different music. The second one is shorter."""
    return [
        caption_input(spec, seed=1, bpm=72.0),
        caption_input(spec, seed=2, bpm=150.0, seconds=1.5),
        caption_input(spec, seed=3, bpm=110.0),
    ]


def test_the_spec_has_all_information_for_users(spec: CaptionerSpec) -> None:
    assert spec.name in registry.CAPTIONERS.names()
    assert registry.CAPTIONERS.spec(spec.name) == spec
    assert min(spec.version, spec.sample_rate, spec.window_samples) >= 1
    for text in (spec.checkpoint, spec.licence_code, spec.licence_weights, spec.citation):
        assert text.strip()
    assert re.fullmatch("[0-9a-f]{64}", spec.checkpoint_sha256)


def test_shipped_weights_have_the_sha256_of_the_spec(spec: CaptionerSpec) -> None:
    if not registry.CAPTIONERS.needs(spec.name).weights:
        shipped = files("mirpipe.plugins.encoders").joinpath("weights", spec.checkpoint)
        # Some plug-ins have no weights at all.
        weights = shipped.read_bytes() if shipped.is_file() else b""
        assert hashlib.sha256(weights).hexdigest() == spec.checkpoint_sha256


def test_each_track_gets_its_own_caption_in_order(spec: CaptionerSpec) -> None:
    inputs = different_inputs(spec)
    alone = [load_once(spec.name).caption([each])[0] for each in inputs]
    assert all(isinstance(caption, str) and caption.strip() for caption in alone)
    assert load_once(spec.name).caption(inputs) == alone
    assert load_once(spec.name).caption(inputs[::-1]) == alone[::-1]


def test_no_input_gives_no_captions(spec: CaptionerSpec) -> None:
    assert load_once(spec.name).caption([]) == []


def test_captioning_does_not_change_the_samples(spec: CaptionerSpec) -> None:
    first = different_inputs(spec)[0]
    before = first.segment.samples.copy()
    load_once(spec.name).caption([first])
    np.testing.assert_array_equal(first.segment.samples, before)


@pytest.mark.parametrize("field", [field.name for field in fields(CaptionerSpec)])
def test_the_revision_changes_with_each_field_that_determines_a_caption(
    spec: CaptionerSpec, field: str
) -> None:
    value = getattr(spec, field)
    changed = replace(spec, **{field: f"{value} x" if isinstance(value, str) else value + 1})
    is_same = registry.revision(changed) == registry.revision(spec)
    assert is_same == (field not in IN_REVISION)
