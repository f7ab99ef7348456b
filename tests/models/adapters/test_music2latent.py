"""Tests for the Music2Latent adapter: the library's latents, on windows of one length."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from music2latent import inference

from mirpipe.errors import PluginError
from mirpipe.models.adapters.music2latent import Music2Latent
from mirpipe.plugins.encoders import music2latent as plugin
from mirpipe.records import AudioSegment, Float32
from mirpipe.specs import Runtime
from tests.support.random_weights import folder_of_weights
from tests.support.synthetic_music import melody

RATE = 44_100


@pytest.fixture(scope="module")
def folder() -> Path:
    """Return the folder with all random weights."""
    return folder_of_weights()


@pytest.fixture(scope="module")
def checkpoint(folder: Path) -> Path:
    return folder / plugin.CHECKPOINT.repository / plugin.CHECKPOINT.filename


@pytest.fixture(scope="module")
def encoder(checkpoint: Path) -> Music2Latent:
    return load(checkpoint)


def load(checkpoint: Path, dtype: str = "float32") -> Music2Latent:
    return Music2Latent(Runtime({}, dtype, "cpu"), checkpoint)


def segment(seconds: float, seed: int = 0) -> AudioSegment:
    return AudioSegment(melody(seconds, RATE, seed=seed), RATE)


def cosine(row: Float32, other_row: Float32) -> float:
    return float(row @ other_row / (np.linalg.norm(row) * np.linalg.norm(other_row)))


@pytest.mark.filterwarnings("ignore:CUDA is not available")
def test_a_vector_is_the_mean_of_the_latents_of_the_library(
    encoder: Music2Latent, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inference, "download_model", lambda: None)
    monkeypatch.setattr("music2latent.models.base_channels", 8)
    monkeypatch.setattr("music2latent.models.bottleneck_base_channels", 32)
    library = inference.EncoderDecoder(checkpoint, torch.device("cpu"))
    latents = library.encode(segment(10).samples)
    assert latents.shape == (1, 64, 107)
    # The adapter uses a different memory layout, so numbers are summed in a different order.
    assert cosine(encoder.embed([segment(10)])[0], latents[0].mean(-1).numpy()) > 1 - 1e-6
    assert cosine(encoder.embed([segment(10)])[0], latents[0, :, 0].numpy()) < 1 - 1e-6


def test_a_short_segment_is_repeated_to_ten_seconds(
    encoder: Music2Latent,
) -> None:
    repeated = AudioSegment(np.tile(segment(5).samples, 2), RATE)
    assert np.array_equal(encoder.embed([segment(5)]), encoder.embed([repeated]))


def test_a_segment_longer_than_a_window_is_refused(encoder: Music2Latent) -> None:
    with pytest.raises(PluginError, match="441001 samples"):
        encoder.embed([segment(441_001 / RATE)])


def test_windows_in_one_batch_get_the_same_vectors(encoder: Music2Latent) -> None:
    segments = [segment(10, seed) for seed in range(2)]
    in_one_batch = encoder._mean_latent(segments).numpy()
    for row, row_alone in zip(in_one_batch, encoder.embed(segments), strict=True):
        assert cosine(row, row_alone) >= 0.99999
    assert cosine(in_one_batch[0], in_one_batch[1]) < 0.99999


def test_bfloat16_gives_nearly_the_same_vector(encoder: Music2Latent, checkpoint: Path) -> None:
    vector = load(checkpoint, "bfloat16").embed([segment(10)])[0]
    assert vector.dtype == np.float32
    assert 0.999 <= cosine(vector, encoder.embed([segment(10)])[0]) < 1


def test_an_outer_autocast_does_not_change_the_precision(encoder: Music2Latent) -> None:
    # On a GPU, the library itself enables an autocast to float16.
    with torch.autocast("cpu", torch.bfloat16):
        vector = encoder._mean_latent([segment(10)]).numpy()
    assert np.array_equal(vector, encoder.embed([segment(10)]))


def test_a_checkpoint_with_a_missing_weight_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    saved = torch.load(checkpoint)
    del saved["gen_state_dict"]["encoder.norm_out.weight"]
    torch.save(saved, tmp_path / "partial.pt")
    with pytest.raises(PluginError, match=r"are missing: encoder\.norm_out\.weight"):
        load(tmp_path / "partial.pt")


def test_a_checkpoint_with_code_is_refused_before_the_code_runs(tmp_path: Path) -> None:
    class Payload:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "ran",)

    torch.save({"gen_state_dict": {}, "optimizer": Payload()}, tmp_path / "bad.pt")
    with pytest.raises(Exception, match="weights_only"):
        load(tmp_path / "bad.pt")
    assert not (tmp_path / "ran").exists()


def test_the_model_is_in_evaluation_mode_without_gradients(encoder: Music2Latent) -> None:
    network = encoder._model.gen
    assert not any(module.training for module in network.modules())
    assert not any(weights.requires_grad for weights in network.parameters())
