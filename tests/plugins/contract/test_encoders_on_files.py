"""Contract tests that every installed encoder must pass on files, from decoding to the vector."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import soundfile

from mirpipe import registry
from mirpipe.errors import RejectedInput
from mirpipe.protocols import Encoder
from mirpipe.records import Float32
from mirpipe.specs import EncoderSpec
from mirpipe.stages.embed import embed_file
from tests.plugins.contract.test_encoders import NAMES, SAME
from tests.support.synthetic_music import melody

RATE = 44_100


@cache
def _load_once(name: str) -> Encoder:
    return _load(registry.ENCODERS, name)


_load = registry.Plugins.load


@pytest.fixture(params=NAMES)
def spec(
    request: pytest.FixtureRequest, random_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> EncoderSpec:
    """Return the spec of an installed encoder, which is then loaded only once per process."""
    monkeypatch.setattr(registry.Plugins, "load", lambda _kind, name: _load_once(name))
    return registry.ENCODERS.spec(request.param)


def embed_samples(spec: EncoderSpec, folder: Path, samples: Float32) -> Float32:
    """Write the samples to a file and return the file's vector."""
    soundfile.write(folder / "a.wav", samples, RATE, subtype="FLOAT")
    return embed_file(spec.name, folder / "a.wav")


@pytest.mark.parametrize("seconds", [1, 10, 61])
def test_a_file_of_any_length_has_a_unit_vector(
    spec: EncoderSpec, tmp_path: Path, seconds: int
) -> None:
    vector = embed_samples(spec, tmp_path, melody(seconds, RATE))
    assert vector.shape == (spec.dimension,)
    assert vector.dtype == np.float32
    assert np.isfinite(vector).all()
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


def test_the_same_file_always_has_the_same_vector(spec: EncoderSpec, tmp_path: Path) -> None:
    samples = melody(12, RATE)
    first = embed_samples(spec, tmp_path, samples)
    assert np.array_equal(first, embed_samples(spec, tmp_path, samples))


def test_stereo_is_embedded_like_its_mono_mix(spec: EncoderSpec, tmp_path: Path) -> None:
    left, right = melody(4, RATE, seed=1), melody(4, RATE, seed=2)
    mono = embed_samples(spec, tmp_path, (left + right) / 2)
    assert mono @ embed_samples(spec, tmp_path, np.stack([left, right], axis=1)) >= SAME


def test_the_level_of_a_track_has_no_influence_if_the_spec_sets_a_level(
    spec: EncoderSpec, tmp_path: Path
) -> None:
    loud, quiet = melody(4, RATE, dbfs=-15), melody(4, RATE, dbfs=-35)
    cosine = embed_samples(spec, tmp_path, loud) @ embed_samples(spec, tmp_path, quiet)
    assert cosine >= SAME or spec.gain_dbfs is None


def test_a_track_with_a_constant_part_has_a_unit_vector(spec: EncoderSpec, tmp_path: Path) -> None:
    vector = embed_samples(spec, tmp_path, melody(4, RATE, dbfs=-30) + np.float32(0.2))
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("constant", [0.0, 0.5])
def test_silence_and_a_constant_are_rejected_with_a_reason(
    spec: EncoderSpec, tmp_path: Path, constant: float
) -> None:
    with pytest.raises(RejectedInput) as rejected:
        embed_samples(spec, tmp_path, np.full(4 * RATE, constant, np.float32))
    assert rejected.value.reason
