"""The contract that every generator of this machine keeps, those to come included."""

import json
import re
from dataclasses import fields, replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from mirpipe import registry
from mirpipe.generation.modes import Mode
from mirpipe.protocols import Generator
from mirpipe.records import AudioSegment, Features, Float32, Note, Request
from mirpipe.specs import GeneratorSpec
from tests.plugins.contract.installed_plugins import belong_here
from tests.support.synthetic_music import melody

NAMES = belong_here(registry.GENERATORS)

NOT_IDENTITY = {"checkpoint", "licence_code", "licence_weights", "citation"}

FEATURES = Features(
    tempo_bpm=120.0,
    beat_seconds=tuple(n / 2 for n in range(8)),
    meter=4,
    key="A minor",
    key_clarity=0.4,
    voiced_fraction=0.8,
    notes=tuple(Note(n / 2 + 0.03, n / 2 + 0.4, 69 + 2 * (n % 4), 0.7) for n in range(8)),
    onsets_per_second=2.0,
    brightness_hz=1800.0,
    reasons={},
)


@cache
def loaded(name: str) -> Generator:
    return registry.GENERATORS.load(name)


@pytest.fixture(params=NAMES)
def spec(request: pytest.FixtureRequest, random_weights: Path) -> GeneratorSpec:
    return registry.GENERATORS.spec(request.param)


def mode_of(spec: GeneratorSpec, *, is_conditioned: bool) -> Mode:
    name = "medium" if is_conditioned else "simple"
    return Mode(name, is_conditioned, guidance=3.0 if spec.has_guidance else None)


def asked(
    spec: GeneratorSpec, *, is_conditioned: bool, seconds: float = 0.5, seed: int = 0
) -> Request:
    heard = AudioSegment(melody(1, spec.sample_rate, seed=3), spec.sample_rate)
    return Request(
        mode_of(spec, is_conditioned=is_conditioned),
        "Calm piano at 90 BPM in A minor.",
        seconds,
        seed,
        conditioning=heard if is_conditioned else None,
        features=FEATURES if is_conditioned else None,
    )


def different(spec: GeneratorSpec) -> list[Request]:
    """Both kinds of mode, and other durations and seeds."""
    return [
        asked(spec, is_conditioned=False, seed=1),
        asked(spec, is_conditioned=True, seed=2, seconds=0.7),
        asked(spec, is_conditioned=True, seed=3),
    ]


def made(spec: GeneratorSpec, *requests: Request) -> list[Float32]:
    return loaded(spec.name).generate(requests)


def test_the_spec_says_what_a_user_must_know(spec: GeneratorSpec) -> None:
    assert registry.GENERATORS.spec(spec.name) == spec
    assert spec.name in registry.GENERATORS.names()
    assert min(spec.version, spec.sample_rate, spec.longest_seconds) >= 1
    for said in (spec.checkpoint, spec.licence_code, spec.licence_weights, spec.citation):
        assert said.strip()
    if registry.GENERATORS.needs(spec.name).weights:
        assert re.fullmatch("[0-9a-f]{64}", spec.checkpoint_sha256)
        assert spec.checkpoint.endswith(" (random)")


def test_its_sampling_can_be_stored(spec: GeneratorSpec) -> None:
    assert json.loads(json.dumps(dict(spec.sampling))) == spec.sampling


@pytest.mark.parametrize("field", [field.name for field in fields(GeneratorSpec)])
def test_the_revision_changes_with_what_determines_a_clip(spec: GeneratorSpec, field: str) -> None:
    value = getattr(spec, field)
    if isinstance(value, str):
        other: object = f"{value} x"
    elif isinstance(value, bool):
        other = not value
    elif isinstance(value, int | float):
        other = value + 1
    else:
        other = {**value, "another": 1}
    changed = replace(spec, **{field: other})
    is_same = registry.revision(changed) == registry.revision(spec)
    assert is_same == (field in NOT_IDENTITY)


@pytest.mark.parametrize("is_conditioned", [False, True])
def test_a_clip_is_mono_float32_heard_and_exactly_as_long_as_asked_for(
    spec: GeneratorSpec, is_conditioned: bool
) -> None:
    for seconds in (0.5, 0.61803):
        clip = made(spec, asked(spec, is_conditioned=is_conditioned, seconds=seconds))[0]
        assert clip.shape == (round(seconds * spec.sample_rate),)
        assert clip.dtype == np.float32
        assert np.abs(clip).max() <= 1
        assert clip.std() > 1e-3


def test_requests_give_their_clips_in_order_and_each_its_own(spec: GeneratorSpec) -> None:
    requests = different(spec)
    together = made(spec, *requests)
    for clip, request in zip(together, requests, strict=True):
        assert np.array_equal(clip, made(spec, request)[0])
    for clip, backwards in zip(together, reversed(made(spec, *reversed(requests))), strict=True):
        assert np.array_equal(clip, backwards)


@pytest.mark.parametrize("is_conditioned", [False, True])
def test_another_seed_makes_another_clip(spec: GeneratorSpec, is_conditioned: bool) -> None:
    one, other = (asked(spec, is_conditioned=is_conditioned, seed=seed) for seed in (4, 5))
    assert not np.array_equal(*made(spec, one, other))


def test_what_conditions_it_changes_the_clip(spec: GeneratorSpec) -> None:
    heard = asked(spec, is_conditioned=True)
    unheard = replace(heard, mode=mode_of(spec, is_conditioned=False))
    assert not np.array_equal(*made(spec, heard, unheard))


def test_a_mode_of_text_alone_needs_no_target_and_heeds_none(spec: GeneratorSpec) -> None:
    alone = asked(spec, is_conditioned=False)
    other = asked(spec, is_conditioned=True)
    beside = replace(alone, conditioning=other.conditioning, features=other.features)
    assert np.array_equal(*made(spec, alone, beside))


def test_guidance_changes_the_clip_where_there_is_any(spec: GeneratorSpec) -> None:
    request = asked(spec, is_conditioned=True)
    more = replace(request, mode=replace(request.mode, guidance=6.0))
    assert np.array_equal(*made(spec, request, more)) != spec.has_guidance


def test_what_is_given_is_left_as_it_was(spec: GeneratorSpec) -> None:
    request = asked(spec, is_conditioned=True)
    assert request.conditioning is not None
    before = request.conditioning.samples.copy()
    made(spec, request)
    assert np.array_equal(request.conditioning.samples, before)


def test_no_requests_give_no_clips(spec: GeneratorSpec) -> None:
    assert made(spec) == []
