"""The contract that every captioner of this machine keeps, those to come included."""

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
from mirpipe.records import AudioSegment, Features, Heard, Note
from mirpipe.specs import CaptionerSpec
from tests.plugins.contract.installed_plugins import belong_here
from tests.support.synthetic_music import melody

NAMES = belong_here(registry.CAPTIONERS)

IDENTITY = {
    *("name", "version", "checkpoint_sha256", "sample_rate", "window_samples", "instruction"),
    "compute_dtype",
}
SECONDS = 4.0


@cache
def loaded(name: str) -> Captioner:
    return registry.CAPTIONERS.load(name)


@pytest.fixture(params=NAMES)
def spec(request: pytest.FixtureRequest, random_weights: Path) -> CaptionerSpec:
    return registry.CAPTIONERS.spec(request.param)


def heard(spec: CaptionerSpec, *, seed: int, bpm: float, seconds: float = SECONDS) -> Heard:
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
    return Heard(
        AudioSegment(melody(seconds, spec.sample_rate, seed=seed), spec.sample_rate), features
    )


def different(spec: CaptionerSpec) -> list[Heard]:
    """Different music, and some that is shorter."""
    return [
        heard(spec, seed=1, bpm=72.0),
        heard(spec, seed=2, bpm=150.0, seconds=1.5),
        heard(spec, seed=3, bpm=110.0),
    ]


def test_the_spec_says_what_a_user_must_know(spec: CaptionerSpec) -> None:
    assert spec.name in registry.CAPTIONERS.names()
    assert registry.CAPTIONERS.spec(spec.name) == spec
    assert min(spec.version, spec.sample_rate, spec.window_samples) >= 1
    for said in (spec.checkpoint, spec.licence_code, spec.licence_weights, spec.citation):
        assert said.strip()
    assert re.fullmatch("[0-9a-f]{64}", spec.checkpoint_sha256)


def test_weights_that_need_no_pull_are_shipped_and_those_of_the_spec(spec: CaptionerSpec) -> None:
    if not registry.CAPTIONERS.needs(spec.name).weights:
        shipped = files("mirpipe.plugins.encoders").joinpath("weights", spec.checkpoint)
        held = shipped.read_bytes() if shipped.is_file() else b""  # it has none at all
        assert hashlib.sha256(held).hexdigest() == spec.checkpoint_sha256


def test_every_track_gets_words_of_its_own_in_order(spec: CaptionerSpec) -> None:
    music = different(spec)
    alone = [loaded(spec.name).caption([one])[0] for one in music]
    assert all(isinstance(said, str) and said.strip() for said in alone)
    assert loaded(spec.name).caption(music) == alone
    assert loaded(spec.name).caption(music[::-1]) == alone[::-1]


def test_no_tracks_get_no_captions(spec: CaptionerSpec) -> None:
    assert loaded(spec.name).caption([]) == []


def test_captioning_leaves_the_samples_as_they_are(spec: CaptionerSpec) -> None:
    music = different(spec)[0]
    before = music.segment.samples.copy()
    loaded(spec.name).caption([music])
    np.testing.assert_array_equal(music.segment.samples, before)


@pytest.mark.parametrize("field", [field.name for field in fields(CaptionerSpec)])
def test_the_revision_changes_with_what_determines_a_caption(
    spec: CaptionerSpec, field: str
) -> None:
    value = getattr(spec, field)
    changed = replace(spec, **{field: f"{value} x" if isinstance(value, str) else value + 1})
    is_same = registry.revision(changed) == registry.revision(spec)
    assert is_same == (field not in IDENTITY)
