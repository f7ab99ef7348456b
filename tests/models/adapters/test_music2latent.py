"""Music2Latent: what its package does, on chunks of one length and from bytes that run nothing."""

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
    """Where the stand-in's weights lie."""
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


def cosine(one: Float32, other: Float32) -> float:
    return float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))


@pytest.mark.filterwarnings("ignore:CUDA is not available")
def test_a_window_has_the_mean_of_the_latents_that_the_package_gives_it(
    encoder: Music2Latent, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inference, "download_model", lambda: None)
    monkeypatch.setattr("music2latent.models.base_channels", 8)
    monkeypatch.setattr("music2latent.models.bottleneck_base_channels", 32)
    package = inference.EncoderDecoder(checkpoint, torch.device("cpu"))
    latents = package.encode(segment(10).samples)
    assert latents.shape == (1, 64, 107)
    # another memory layout sums in another order
    assert cosine(encoder.embed([segment(10)])[0], latents[0].mean(-1).numpy()) > 1 - 1e-6
    assert cosine(encoder.embed([segment(10)])[0], latents[0, :, 0].numpy()) < 1 - 1e-6


def test_a_short_clip_is_repeated_to_the_length_that_normalisation_spans(
    encoder: Music2Latent,
) -> None:
    whole = AudioSegment(np.tile(segment(5).samples, 2), RATE)
    assert np.array_equal(encoder.embed([segment(5)]), encoder.embed([whole]))


def test_more_than_a_window_is_refused(encoder: Music2Latent) -> None:
    with pytest.raises(PluginError, match="441001 samples"):
        encoder.embed([segment(441_001 / RATE)])


def test_windows_encoded_together_keep_their_rows(encoder: Music2Latent) -> None:
    segments = [segment(10, seed) for seed in range(2)]
    together = encoder._mean_latent(segments).numpy()
    for row, alone in zip(together, encoder.embed(segments), strict=True):
        assert cosine(row, alone) >= 0.99999
    assert cosine(together[0], together[1]) < 0.99999


def test_bfloat16_gives_nearly_the_same_vector(encoder: Music2Latent, checkpoint: Path) -> None:
    lowered = load(checkpoint, "bfloat16").embed([segment(10)])[0]
    assert lowered.dtype == np.float32
    assert 0.999 <= cosine(lowered, encoder.embed([segment(10)])[0]) < 1


def test_nothing_around_it_lowers_the_precision_asked_for(encoder: Music2Latent) -> None:
    with torch.autocast("cpu", torch.bfloat16):  # as the package does with float16 on a GPU
        found = encoder._mean_latent([segment(10)]).numpy()
    assert np.array_equal(found, encoder.embed([segment(10)]))


def test_a_missing_weight_is_refused_rather_than_left_random(
    checkpoint: Path, tmp_path: Path
) -> None:
    saved = torch.load(checkpoint)
    del saved["gen_state_dict"]["encoder.norm_out.weight"]
    torch.save(saved, tmp_path / "partial.pt")
    with pytest.raises(PluginError, match=r"lacks 1 weights, encoder\.norm_out\.weight"):
        load(tmp_path / "partial.pt")


def test_a_checkpoint_that_runs_code_is_refused_before_it_runs(tmp_path: Path) -> None:
    class Payload:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "ran",)

    torch.save({"gen_state_dict": {}, "optimizer": Payload()}, tmp_path / "bad.pt")
    with pytest.raises(Exception, match="weights_only"):
        load(tmp_path / "bad.pt")
    assert not (tmp_path / "ran").exists()


def test_nothing_is_left_to_train(encoder: Music2Latent) -> None:
    network = encoder._model.gen
    assert not any(module.training for module in network.modules())
    assert not any(weights.requires_grad for weights in network.parameters())
