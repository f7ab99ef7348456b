"""Tests for the MERT adapter: all weights loaded, all hidden states, and no code from the hub."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

from mirpipe.errors import PluginError
from mirpipe.models.adapters import mert
from mirpipe.plugins.encoders import mert as plugin
from mirpipe.records import AudioSegment, Float32
from mirpipe.specs import Runtime
from tests.models.adapters import random_mert_weights
from tests.support.random_weights import folder_of_weights
from tests.support.synthetic_music import melody

RATE = 24_000


@pytest.fixture(scope="module")
def published() -> Path:
    """Return the folder with random weights for the published files."""
    return folder_of_weights() / plugin.REPOSITORY


@pytest.fixture(scope="module")
def encoder(published: Path) -> mert.Mert:
    return load(published)


def load(published: Path, dtype: str = "float32") -> mert.Mert:
    config, preprocessor, checkpoint = (published / file.filename for file in plugin.NEEDS.weights)
    return mert.Mert(
        Runtime({}, dtype, "cpu"), config=config, preprocessor=preprocessor, checkpoint=checkpoint
    )


def segment(seconds: float, seed: int = 0, gain: float = 1) -> AudioSegment:
    return AudioSegment(gain * melody(seconds, RATE, seed=seed), RATE)


def cosine(row: Float32, other_row: Float32) -> float:
    return float(row @ other_row / (np.linalg.norm(row) * np.linalg.norm(other_row)))


@torch.inference_mode()
def test_a_vector_is_the_mean_of_the_states_that_the_published_layers_compute(
    encoder: mert.Mert,
) -> None:
    window = segment(5).samples.astype(np.float64)
    scaled = torch.from_numpy(((window - window.mean()) / window.std()).astype(np.float32))
    model = encoder._model
    features = model.feature_projection(model.feature_extractor(scaled[None]).transpose(1, 2))
    state = model.encoder.layer_norm(features + model.encoder.pos_conv_embed(features))
    states = [state]
    for layer in model.encoder.layers:
        attended = layer.layer_norm(states[-1] + layer.attention(states[-1])[0])
        states.append(layer.final_layer_norm(attended + layer.feed_forward(attended)))
    assert len(states) == random_mert_weights.LAYERS + 1
    expected = torch.stack(states).mean((0, 2)).numpy()
    np.testing.assert_allclose(encoder.embed([segment(5)]), expected, atol=1e-5)


def test_all_weights_of_the_checkpoint_are_loaded(encoder: mert.Mert, published: Path) -> None:
    saved = torch.load(published / "pytorch_model.bin", weights_only=True)
    assert "encoder.pos_conv_embed.conv.weight_g" in saved
    loaded = encoder._model.state_dict()
    assert len(loaded) == len(saved)
    for name, weights in loaded.items():
        assert torch.equal(weights, saved[random_mert_weights.published_name(name)])


def test_a_short_segment_is_repeated_to_five_seconds(encoder: mert.Mert) -> None:
    repeated = AudioSegment(np.tile(segment(2.5).samples, 2), RATE)
    assert np.array_equal(encoder.embed([segment(2.5)]), encoder.embed([repeated]))


def test_different_music_has_different_vectors_and_a_change_of_level_does_not_matter(
    encoder: mert.Mert,
) -> None:
    row, quiet, other = encoder.embed([segment(5), segment(5, gain=0.5), segment(5, seed=1)])
    assert row.shape == (768,)
    np.testing.assert_allclose(row, quiet, atol=1e-4)
    assert not np.allclose(row, other, atol=1e-3)


def test_a_segment_longer_than_a_window_is_refused(encoder: mert.Mert) -> None:
    with pytest.raises(PluginError, match="120001 samples"):
        encoder.embed([segment(120_001 / RATE)])


def test_bfloat16_gives_nearly_the_same_vector(encoder: mert.Mert, published: Path) -> None:
    vector = load(published, "bfloat16").embed([segment(5)])[0]
    assert vector.dtype == np.float32
    assert 0.999 <= cosine(vector, encoder.embed([segment(5)])[0]) < 1


def test_a_checkpoint_with_a_missing_weight_is_refused(published: Path, tmp_path: Path) -> None:
    saved = torch.load(published / "pytorch_model.bin", weights_only=True)
    del saved["encoder.pos_conv_embed.conv.weight_g"]
    torch.save(saved, tmp_path / "pytorch_model.bin")
    with pytest.raises(PluginError, match=r"are missing: encoder\.pos_conv_embed"):
        mert.load(published / "config.json", tmp_path / "pytorch_model.bin")


def test_code_beside_the_weights_is_not_run(published: Path, tmp_path: Path) -> None:
    shutil.copytree(published, tmp_path, dirs_exist_ok=True)
    for name in ("configuration_MERT.py", "modeling_MERT.py"):
        (tmp_path / name).write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    model = load(tmp_path)._model
    assert type(model) is transformers.HubertModel
    assert not (tmp_path / "ran").exists()
