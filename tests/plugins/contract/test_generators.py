"""Contract tests that every installed generator must pass."""

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
from mirpipe.records import AudioSegment, Features, Float32, GenerationRequest, Note
from mirpipe.specs import GeneratorSpec
from tests.plugins.contract.installed_plugins import installed
from tests.support.synthetic_music import melody

NAMES = installed(registry.GENERATORS)

NOT_IN_REVISION = {
    "checkpoint",
    "licence_code",
    "licence_weights",
    "citation",
    "is_random",
    "uses_conditioning_audio",
}

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
def load_once(name: str) -> Generator:
    """Return the generator, which is loaded once per process."""
    return registry.GENERATORS.load(name)


@pytest.fixture(params=NAMES)
def spec(request: pytest.FixtureRequest, random_weights: Path) -> GeneratorSpec:
    """Return the spec of an installed generator; each test runs once per generator."""
    return registry.GENERATORS.spec(request.param)


def mode_of(spec: GeneratorSpec, *, is_conditioned: bool) -> Mode:
    """Return a mode that the generator supports."""
    name = "medium" if is_conditioned else "simple"
    return Mode(name, is_conditioned, guidance=3.0 if spec.has_guidance else None)


def clip_request(
    spec: GeneratorSpec, *, is_conditioned: bool, seconds: float = 0.5, seed: int = 0
) -> GenerationRequest:
    """Return a request for one clip."""
    conditioning = AudioSegment(melody(1, spec.sample_rate, seed=3), spec.sample_rate)
    return GenerationRequest(
        mode_of(spec, is_conditioned=is_conditioned),
        "Calm piano at 90 BPM in A minor.",
        seconds,
        seed,
        conditioning=conditioning if is_conditioned else None,
        features=FEATURES if is_conditioned else None,
    )


def different_requests(spec: GeneratorSpec) -> list[GenerationRequest]:
    """Return three requests with different modes, durations and seeds."""
    return [
        clip_request(spec, is_conditioned=False, seed=1),
        clip_request(spec, is_conditioned=True, seed=2, seconds=0.7),
        clip_request(spec, is_conditioned=True, seed=3),
    ]


def generate(spec: GeneratorSpec, *requests: GenerationRequest) -> list[Float32]:
    """Return the clips for these requests."""
    return load_once(spec.name).generate(requests)


def test_the_spec_has_all_information_for_users(spec: GeneratorSpec) -> None:
    assert registry.GENERATORS.spec(spec.name) == spec
    assert spec.name in registry.GENERATORS.names()
    assert min(spec.version, spec.sample_rate, spec.longest_seconds) >= 1
    for text in (spec.checkpoint, spec.licence_code, spec.licence_weights, spec.citation):
        assert text.strip()
    if registry.GENERATORS.needs(spec.name).weights:
        assert re.fullmatch("[0-9a-f]{64}", spec.checkpoint_sha256)
        assert spec.checkpoint.endswith(" (random)")


def test_the_sampling_parameters_can_be_stored_as_json(spec: GeneratorSpec) -> None:
    assert json.loads(json.dumps(dict(spec.sampling))) == spec.sampling


@pytest.mark.parametrize("field", [field.name for field in fields(GeneratorSpec)])
def test_the_revision_changes_with_each_field_that_determines_a_clip(
    spec: GeneratorSpec, field: str
) -> None:
    value = getattr(spec, field)
    if isinstance(value, str):
        other_value: object = f"{value} x"
    elif isinstance(value, bool):
        other_value = not value
    elif isinstance(value, int | float):
        other_value = value + 1
    else:
        other_value = {**value, "another": 1}
    other_spec = replace(spec, **{field: other_value})
    is_same = registry.revision(other_spec) == registry.revision(spec)
    assert is_same == (field in NOT_IN_REVISION)


@pytest.mark.parametrize("is_conditioned", [False, True])
def test_a_clip_is_audible_mono_float32_of_exactly_the_requested_length(
    spec: GeneratorSpec, is_conditioned: bool
) -> None:
    for seconds in (0.5, 0.61803):
        clip = generate(spec, clip_request(spec, is_conditioned=is_conditioned, seconds=seconds))[0]
        assert clip.shape == (round(seconds * spec.sample_rate),)
        assert clip.dtype == np.float32
        assert np.abs(clip).max() <= 1
        assert clip.std() > 1e-3


def test_each_request_gets_its_own_clip_in_order(spec: GeneratorSpec) -> None:
    requests = different_requests(spec)
    together = generate(spec, *requests)
    for clip, request in zip(together, requests, strict=True):
        assert np.array_equal(clip, generate(spec, request)[0])
    in_reverse = reversed(generate(spec, *reversed(requests)))
    for clip, clip_in_reverse in zip(together, in_reverse, strict=True):
        assert np.array_equal(clip, clip_in_reverse)


@pytest.mark.parametrize("is_conditioned", [False, True])
def test_another_seed_gives_another_clip(spec: GeneratorSpec, is_conditioned: bool) -> None:
    requests = (clip_request(spec, is_conditioned=is_conditioned, seed=seed) for seed in (4, 5))
    assert not np.array_equal(*generate(spec, *requests))


def test_conditioning_changes_the_clip(spec: GeneratorSpec) -> None:
    conditioned = clip_request(spec, is_conditioned=True)
    from_text = replace(conditioned, mode=mode_of(spec, is_conditioned=False))
    assert not np.array_equal(*generate(spec, conditioned, from_text))


def test_a_mode_without_conditioning_ignores_the_target(spec: GeneratorSpec) -> None:
    without_target = clip_request(spec, is_conditioned=False)
    conditioned = clip_request(spec, is_conditioned=True)
    with_target = replace(
        without_target, conditioning=conditioned.conditioning, features=conditioned.features
    )
    assert np.array_equal(*generate(spec, without_target, with_target))


def test_a_clip_depends_on_the_conditioning_audio_only_if_the_spec_says_so(
    spec: GeneratorSpec,
) -> None:
    request = clip_request(spec, is_conditioned=True)
    assert request.conditioning is not None
    samples = np.roll(request.conditioning.samples[::-1], spec.sample_rate // 3) / 2
    other = AudioSegment(np.ascontiguousarray(samples), spec.sample_rate)
    clips = generate(spec, request, replace(request, conditioning=other))
    assert np.array_equal(*clips) != spec.uses_conditioning_audio
    if not spec.uses_conditioning_audio:
        without = generate(spec, replace(request, conditioning=None))
        assert np.array_equal(clips[0], without[0])


def test_guidance_changes_the_clip_if_the_generator_has_guidance(spec: GeneratorSpec) -> None:
    request = clip_request(spec, is_conditioned=True)
    more_guidance = replace(request, mode=replace(request.mode, guidance=6.0))
    assert np.array_equal(*generate(spec, request, more_guidance)) != spec.has_guidance


def test_generating_does_not_change_the_conditioning_audio(spec: GeneratorSpec) -> None:
    request = clip_request(spec, is_conditioned=True)
    assert request.conditioning is not None
    before = request.conditioning.samples.copy()
    generate(spec, request)
    assert np.array_equal(request.conditioning.samples, before)


def test_no_requests_give_no_clips(spec: GeneratorSpec) -> None:
    assert generate(spec) == []
