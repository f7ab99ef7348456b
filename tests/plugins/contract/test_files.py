"""What every encoder of this machine makes of files, from decoding to the vector that is stored."""

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
def _loaded(name: str) -> Encoder:
    return _load(registry.ENCODERS, name)


_load = registry.Plugins.load


@pytest.fixture(params=NAMES)
def spec(
    request: pytest.FixtureRequest, random_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> EncoderSpec:
    monkeypatch.setattr(registry.Plugins, "load", lambda _kind, name: _loaded(name))
    return registry.ENCODERS.spec(request.param)


def vector(spec: EncoderSpec, folder: Path, samples: Float32) -> Float32:
    soundfile.write(folder / "a.wav", samples, RATE, subtype="FLOAT")
    return embed_file(spec.name, folder / "a.wav")


@pytest.mark.parametrize("seconds", [1, 10, 61])
def test_a_file_of_any_length_has_a_unit_vector(
    spec: EncoderSpec, tmp_path: Path, seconds: int
) -> None:
    found = vector(spec, tmp_path, melody(seconds, RATE))
    assert found.shape == (spec.dimension,)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-5)


def test_the_same_file_has_the_same_bytes_again(spec: EncoderSpec, tmp_path: Path) -> None:
    samples = melody(12, RATE)
    assert np.array_equal(vector(spec, tmp_path, samples), vector(spec, tmp_path, samples))


def test_stereo_is_heard_as_its_mono_mix(spec: EncoderSpec, tmp_path: Path) -> None:
    left, right = melody(4, RATE, seed=1), melody(4, RATE, seed=2)
    mono = vector(spec, tmp_path, (left + right) / 2)
    assert mono @ vector(spec, tmp_path, np.stack([left, right], axis=1)) >= SAME


def test_the_level_matters_where_the_spec_fixes_none_and_nowhere_else(
    spec: EncoderSpec, tmp_path: Path
) -> None:
    loud, quiet = melody(4, RATE, dbfs=-15), melody(4, RATE, dbfs=-35)
    is_same = vector(spec, tmp_path, loud) @ vector(spec, tmp_path, quiet) >= SAME
    assert is_same or spec.gain_dbfs is None


def test_a_constant_part_leaves_a_unit_vector(spec: EncoderSpec, tmp_path: Path) -> None:
    found = vector(spec, tmp_path, melody(4, RATE, dbfs=-30) + np.float32(0.2))
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("constant", [0.0, 0.5])
def test_silence_and_a_constant_are_refused_with_a_reason(
    spec: EncoderSpec, tmp_path: Path, constant: float
) -> None:
    with pytest.raises(RejectedInput) as refused:
        vector(spec, tmp_path, np.full(4 * RATE, constant, np.float32))
    assert refused.value.reason
