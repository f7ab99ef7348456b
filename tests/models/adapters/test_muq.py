"""Tests for the MuQ adapter: hidden states as with transformers 4, and no random weights."""

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
from tests.models.adapters import random_muq_weights
from tests.support.random_weights import folder_of_weights
from tests.support.synthetic_music import melody

RATE = 24_000


@pytest.fixture(scope="module")
def folder() -> Path:
    """Return the folder with all random weights."""
    return folder_of_weights()


@pytest.fixture(scope="module")
def published(folder: Path) -> Path:
    """Return the folder with random weights for the published files."""
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


def run_model(encoder: muq.Muq, *segments: AudioSegment) -> Any:
    """Return the model's output for these segments, with all hidden states."""
    samples = torch.from_numpy(np.stack([each.samples for each in segments]))
    with torch.inference_mode():
        return encoder._model(samples, output_hidden_states=True)


def cosine(row: Float32, other_row: Float32) -> float:
    return float(row @ other_row / (np.linalg.norm(row) * np.linalg.norm(other_row)))


def test_without_the_patch_the_library_cannot_embed(published: Path) -> None:
    unpatched = muq.muq.MuQ.from_pretrained(published).eval()
    with pytest.raises((AttributeError, KeyError)):
        unpatched(torch.zeros(1, RATE))


def test_hidden_states_are_the_inputs_of_all_layers_and_the_final_state(
    encoder: muq.Muq,
) -> None:
    output = run_model(encoder, segment(1))
    hidden = output.hidden_states
    assert len(hidden) == random_muq_weights.LAYERS + 1
    assert all(state.shape == (1, 25, 1024) for state in hidden)
    assert torch.equal(output.last_hidden_state, hidden[-1])

    conformer = encoder._model.model.conformer
    state = hidden[0]
    with torch.inference_mode():
        positions = conformer.embed_positions(state)
        for layer, layer_input in zip(conformer.layers, hidden, strict=False):
            assert torch.equal(layer_input, state)
            state = layer(state, relative_position_embeddings=positions)
        assert torch.equal(conformer.layer_norm(state), hidden[-1])


def test_every_hidden_state_depends_on_the_input(encoder: muq.Muq) -> None:
    states, other_states = (run_model(encoder, segment(1, seed)).hidden_states for seed in range(2))
    for state, other_state in zip(states, other_states, strict=True):
        assert not torch.allclose(state, other_state, atol=1e-3)


def test_a_vector_is_the_mean_of_the_last_hidden_states(encoder: muq.Muq) -> None:
    expected = run_model(encoder, segment(10)).last_hidden_state
    assert expected.shape == (1, 250, 1024)
    np.testing.assert_allclose(
        encoder.embed([segment(10)])[0], expected[0].mean(0).numpy(), rtol=1e-5, atol=1e-5
    )


def test_a_short_segment_is_repeated_to_ten_seconds(encoder: muq.Muq) -> None:
    repeated = AudioSegment(np.tile(segment(5).samples, 2), RATE)
    assert np.array_equal(encoder.embed([segment(5)]), encoder.embed([repeated]))


def test_a_segment_too_short_for_one_state_has_a_vector(encoder: muq.Muq) -> None:
    assert np.isfinite(encoder.embed([segment(400 / RATE)])).all()


def test_a_segment_longer_than_a_window_is_refused(encoder: muq.Muq) -> None:
    with pytest.raises(PluginError, match="240001 samples"):
        encoder.embed([segment(240_001 / RATE)])


def test_windows_in_one_batch_get_the_same_vectors(encoder: muq.Muq) -> None:
    segments = [segment(10, seed) for seed in range(3)]
    with torch.inference_mode():
        in_one_batch = encoder._mean_state(segments).numpy()
    for row, row_alone in zip(in_one_batch, encoder.embed(segments), strict=True):
        assert cosine(row, row_alone) >= 0.99999


def test_bfloat16_gives_nearly_the_same_vector(encoder: muq.Muq, published: Path) -> None:
    vector = load(published, "bfloat16").embed([segment(10)])[0]
    assert vector.dtype == np.float32
    assert 0.999 <= cosine(vector, encoder.embed([segment(10)])[0]) < 1


def test_with_bfloat16_the_spectrogram_is_computed_in_float32(
    encoder: muq.Muq, published: Path
) -> None:
    samples = torch.from_numpy(segment(1).samples[None])

    def spectrogram(encoder: muq.Muq) -> Any:
        with encoder._batches.inference():
            return encoder._model.model.preprocessing(samples, ["melspec_2048"])["melspec_2048"]

    assert torch.equal(spectrogram(load(published, "bfloat16")), spectrogram(encoder))


def test_config_and_weights_may_be_in_different_folders(
    encoder: muq.Muq, published: Path, tmp_path: Path
) -> None:
    shutil.copy(published / "config.json", tmp_path / "other name.json")
    model = muq.load(tmp_path / "other name.json", published / "model.safetensors")
    weights = model.state_dict()
    for name, expected in encoder._model.state_dict().items():
        assert torch.equal(expected, weights[name])


def test_a_checkpoint_with_a_missing_weight_is_refused(published: Path, tmp_path: Path) -> None:
    saved = load_file(published / "model.safetensors")
    del saved["model.conformer.layers.1.ffn1.output_dense.weight"]
    save_file(saved, tmp_path / "model.safetensors")
    with pytest.raises(PluginError, match=r"are missing: model\.conformer\.layers\.1\.ffn1"):
        muq.load(published / "config.json", tmp_path / "model.safetensors")


def test_the_model_is_in_evaluation_mode_without_gradients(encoder: muq.Muq) -> None:
    assert not any(module.training for module in encoder._model.modules())
    assert not any(weights.requires_grad for weights in encoder._model.parameters())
