"""Tests that the Audiobox Aesthetics adapter returns the same scores as the library's predictor."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import soundfile
import torch
from safetensors.torch import load_file, save_file

from mirpipe import audio
from mirpipe.errors import PluginError
from mirpipe.models.adapters import audiobox_aesthetics as library
from mirpipe.models.adapters.audiobox_aesthetics_patches import wavlm_size_of
from mirpipe.plugins.track_metrics.audiobox_aesthetics import REPOSITORY, SPEC
from mirpipe.records import AudioSegment, Float32
from mirpipe.specs import Runtime
from tests.support.random_weights import folder_of_weights
from tests.support.synthetic_music import melody

RATE = 16_000


@pytest.fixture(scope="module")
def folder() -> Path:
    """Return the folder with all random weights."""
    return folder_of_weights()


@pytest.fixture(scope="module")
def published(folder: Path) -> Path:
    """Return the folder with random weights for the published files."""
    return folder / REPOSITORY


@pytest.fixture(scope="module")
def scorer(published: Path) -> library.AudioboxAesthetics:
    return load(published)


def load(published: Path, dtype: str = "float32") -> library.AudioboxAesthetics:
    return library.AudioboxAesthetics(
        Runtime({}, dtype, "cpu"),
        config=published / "config.json",
        checkpoint=published / "model.safetensors",
    )


def segment(seconds: float, seed: int = 0) -> AudioSegment:
    return AudioSegment(melody(seconds, RATE, seed=seed), RATE)


def scores_of_the_library(published: Path, samples: Float32) -> list[float]:
    """Return a track's scores from the library's predictor, called as in the library's README."""
    from audiobox_aesthetics import infer

    with wavlm_size_of(published / "model.safetensors"):
        model = library.aes.AesMultiOutput.from_pretrained(published)
    with mock.patch.object(infer.AesMultiOutput, "from_pretrained", return_value=model):
        predictor = infer.initialize_predictor()
    track = {"path": torch.from_numpy(samples)[None], "sample_rate": RATE}
    [scores] = predictor.forward([track])
    return [scores[axis] for axis in ("CE", "CU", "PC", "PQ")]


def mean_score(scorer: library.AudioboxAesthetics, segments: Sequence[AudioSegment]) -> Float32:
    """Return the mean score on each axis, weighted by segment length."""
    lengths = [len(segment.samples) for segment in segments]
    return np.average(scorer.score(segments), axis=0, weights=lengths)


@pytest.mark.parametrize("seconds", [25, 21, 20.01, 4])
def test_the_mean_over_windows_equals_the_score_of_the_library(
    scorer: library.AudioboxAesthetics, published: Path, tmp_path: Path, seconds: float
) -> None:
    samples = melody(seconds, RATE)
    soundfile.write(tmp_path / "a.wav", samples, RATE, subtype="FLOAT")
    request = audio.WindowRequest(RATE, SPEC.window_samples, keep_tail=SPEC.keep_tail)
    segments = [window for _, window in audio.read_windows(tmp_path / "a.wav", [request])]
    assert sum(len(segment.samples) for segment in segments) == len(samples)
    np.testing.assert_allclose(
        mean_score(scorer, segments), scores_of_the_library(published, samples), rtol=0, atol=1e-4
    )


def test_axes_keep_their_order_and_scale(published: Path) -> None:
    model = library.load(published / "config.json", published / "model.safetensors")
    assert tuple(f"aesthetics_{axis.lower()}" for axis in library.AXES) == SPEC.axes
    assert list(model.axes_name) == list(library.AXES)
    assert [model.target_transform[axis]["mean"] for axis in library.AXES] == [4, 5, 6, 7]


def test_the_padding_of_a_short_segment_is_masked(
    scorer: library.AudioboxAesthetics, monkeypatch: pytest.MonkeyPatch
) -> None:
    [masked] = scorer.score([segment(3)])
    silence = np.zeros(7 * RATE, np.float32)
    with_silence = AudioSegment(np.concatenate([segment(3).samples, silence]), RATE)
    [unmasked] = scorer.score([with_silence])
    assert np.abs(masked - unmasked).max() > 1e-3


@pytest.mark.parametrize("length", [0, 160_001])
def test_an_empty_or_too_long_segment_is_refused(
    scorer: library.AudioboxAesthetics, length: int
) -> None:
    with pytest.raises(PluginError, match=f"{length} samples"):
        scorer.score([AudioSegment(np.ones(length, np.float32), RATE)])


def test_windows_in_one_batch_get_the_same_scores(scorer: library.AudioboxAesthetics) -> None:
    segments = [segment(10, 1), segment(4, 2), segment(10, 3)]
    with scorer._batches.inference():
        in_one_batch = scorer._scores(segments).numpy()
    np.testing.assert_allclose(in_one_batch, scorer.score(segments), rtol=0, atol=1e-4)


def test_on_a_cpu_each_call_has_one_window(
    scorer: library.AudioboxAesthetics, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []
    forward = scorer._model.forward

    def count(batch: dict[str, torch.Tensor]) -> object:
        sizes.append(len(batch["wav"]))
        return forward(batch)

    monkeypatch.setattr(scorer._model, "forward", count)
    scorer.score([segment(1, seed) for seed in range(3)])
    assert sizes == [1, 1, 1]


def test_bfloat16_gives_nearly_the_same_scores(
    scorer: library.AudioboxAesthetics, published: Path
) -> None:
    segments = [segment(10), segment(4, 1)]
    scores = load(published, "bfloat16").score(segments)
    assert scores.dtype == np.float32
    assert 0 < np.abs(scores - scorer.score(segments)).max() < 0.02


def test_config_and_weights_may_be_in_different_folders(published: Path, tmp_path: Path) -> None:
    shutil.copy(published / "config.json", tmp_path / "other name.json")
    model = library.load(tmp_path / "other name.json", published / "model.safetensors")
    saved = load_file(published / "model.safetensors")
    assert saved.keys() == model.state_dict().keys()
    assert all(torch.equal(saved[name], weight) for name, weight in model.state_dict().items())


def test_the_default_size_of_the_library_is_not_changed() -> None:
    assert library.aes.DEFAULT_AUDIO_CFG.encoder_layers == 12
    assert library.aes.DEFAULT_AUDIO_CFG.encoder_embed_dim == 768


def test_a_checkpoint_with_a_missing_weight_is_refused(published: Path, tmp_path: Path) -> None:
    saved = load_file(published / "model.safetensors")
    del saved["proj_layer.CE.0.weight"]
    save_file(saved, tmp_path / "model.safetensors")
    with pytest.raises(PluginError, match=r"are missing: proj_layer\.CE\.0\.weight"):
        library.load(published / "config.json", tmp_path / "model.safetensors")


def test_the_model_is_in_evaluation_mode_without_gradients(
    scorer: library.AudioboxAesthetics,
) -> None:
    assert not any(module.training for module in scorer._model.modules())
    assert not any(weights.requires_grad for weights in scorer._model.parameters())
