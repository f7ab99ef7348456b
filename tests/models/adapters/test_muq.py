"""MuQ: what its package did with transformers 4, and no weight left as it was initialised."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from mirpipe.errors import PluginError
from mirpipe.models.adapters import muq
from mirpipe.plugins.encoders import muq as plugin
from mirpipe.records import AudioSegment, Float32
from mirpipe.specs import Runtime
from tests.models.adapters.adapters import stand_in_muq
from tests.support.random_weights import folder_of_weights
from tests.support.synthetic_music import melody

RATE = 24_000


@pytest.fixture(scope="module")
def folder() -> Path:
    """Where the stand-in's weights lie."""
    return folder_of_weights()


@pytest.fixture(scope="module")
def published(folder: Path) -> Path:
    return folder / plugin.REPOSITORY


@pytest.fixture(scope="module")
def encoder(published: Path) -> muq.Muq:
    return load(published)


def load(published: Path, dtype: str = "float32") -> muq.Muq:
    return muq.Muq(
        Runtime({}, dtype, "cpu"),
        config=published / "config.json",
        checkpoint=published / "model.safetensors",
        dimension=1024,
    )


def segment(seconds: float, seed: int = 0) -> AudioSegment:
    return AudioSegment(melody(seconds, RATE, seed=seed), RATE)


def states(encoder: muq.Muq, *segments: AudioSegment) -> Any:
    samples = torch.from_numpy(np.stack([one.samples for one in segments]))
    with torch.inference_mode():
        return encoder._model(samples, output_hidden_states=True)


def cosine(one: Float32, other: Float32) -> float:
    return float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))


def test_without_the_repair_the_package_cannot_embed(published: Path) -> None:
    package = muq.muq.MuQ.from_pretrained(published).eval()
    with pytest.raises((AttributeError, KeyError)):
        package(torch.zeros(1, RATE))


def test_hidden_states_are_the_input_of_every_layer_and_the_final_state(
    encoder: muq.Muq,
) -> None:
    output = states(encoder, segment(1))
    hidden = output.hidden_states
    assert len(hidden) == stand_in_muq.LAYERS + 1
    assert all(state.shape == (1, 25, 1024) for state in hidden)
    assert torch.equal(output.last_hidden_state, hidden[-1])

    conformer = encoder._model.model.conformer
    state = hidden[0]
    with torch.inference_mode():
        positions = conformer.embed_positions(state)
        for layer, given in zip(conformer.layers, hidden, strict=False):
            assert torch.equal(given, state)
            state = layer(state, relative_position_embeddings=positions)
        assert torch.equal(conformer.layer_norm(state), hidden[-1])


def test_every_hidden_state_follows_the_input(encoder: muq.Muq) -> None:
    one, other = (states(encoder, segment(1, seed)).hidden_states for seed in range(2))
    for state, changed in zip(one, other, strict=True):
        assert not torch.allclose(state, changed, atol=1e-3)


def test_a_vector_is_the_mean_of_the_last_hidden_states(encoder: muq.Muq) -> None:
    expected = states(encoder, segment(10)).last_hidden_state
    assert expected.shape == (1, 250, 1024)
    np.testing.assert_allclose(
        encoder.embed([segment(10)])[0], expected[0].mean(0).numpy(), rtol=1e-5, atol=1e-5
    )


def test_a_short_clip_is_repeated_to_ten_seconds(encoder: muq.Muq) -> None:
    whole = AudioSegment(np.tile(segment(5).samples, 2), RATE)
    assert np.array_equal(encoder.embed([segment(5)]), encoder.embed([whole]))


def test_a_clip_too_short_for_one_state_has_a_vector(encoder: muq.Muq) -> None:
    assert np.isfinite(encoder.embed([segment(400 / RATE)])).all()


def test_more_than_a_window_is_refused(encoder: muq.Muq) -> None:
    with pytest.raises(PluginError, match="240001 samples"):
        encoder.embed([segment(240_001 / RATE)])


def test_windows_embedded_together_keep_their_rows(encoder: muq.Muq) -> None:
    segments = [segment(10, seed) for seed in range(3)]
    with torch.inference_mode():
        together = encoder._mean_state(segments).numpy()
    for row, alone in zip(together, encoder.embed(segments), strict=True):
        assert cosine(row, alone) >= 0.99999


def test_bfloat16_gives_nearly_the_same_vector(encoder: muq.Muq, published: Path) -> None:
    lowered = load(published, "bfloat16").embed([segment(10)])[0]
    assert lowered.dtype == np.float32
    assert 0.999 <= cosine(lowered, encoder.embed([segment(10)])[0]) < 1


def test_bfloat16_leaves_the_spectrogram_its_digits(encoder: muq.Muq, published: Path) -> None:
    samples = torch.from_numpy(segment(1).samples[None])

    def spectrogram(of: muq.Muq) -> Any:
        with of._batches.inference():
            return of._model.model.preprocessing(samples, ["melspec_2048"])["melspec_2048"]

    assert torch.equal(spectrogram(load(published, "bfloat16")), spectrogram(encoder))


def test_config_and_weights_may_lie_apart(
    encoder: muq.Muq, published: Path, tmp_path: Path
) -> None:
    shutil.copy(published / "config.json", tmp_path / "other name.json")
    model = muq.load(tmp_path / "other name.json", published / "model.safetensors")
    weights = model.state_dict()
    for name, loaded in encoder._model.state_dict().items():
        assert torch.equal(loaded, weights[name])


def test_a_missing_weight_is_refused_rather_than_left_random(
    published: Path, tmp_path: Path
) -> None:
    saved = load_file(published / "model.safetensors")
    del saved["model.conformer.layers.1.ffn1.output_dense.weight"]
    save_file(saved, tmp_path / "model.safetensors")
    with pytest.raises(PluginError, match=r"lacks 1 weights, model\.conformer\.layers\.1\.ffn1"):
        muq.load(published / "config.json", tmp_path / "model.safetensors")


def test_nothing_is_left_to_train(encoder: muq.Muq) -> None:
    assert not any(module.training for module in encoder._model.modules())
    assert not any(weights.requires_grad for weights in encoder._model.parameters())
