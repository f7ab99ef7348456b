"""Tests for the MuQ-MuLan adapter: vectors as by the library's loader, and no downloads."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers

from mirpipe.errors import PluginError
from mirpipe.models.adapters import muq_mulan
from mirpipe.models.adapters.muq_patches import restore_hidden_states
from mirpipe.plugins.encoders import muq
from mirpipe.plugins.encoders import muq_mulan as plugin
from mirpipe.records import AudioSegment, Float32
from mirpipe.specs import Runtime, WeightFile
from tests.models.adapters import random_muq_mulan_weights
from tests.support.random_weights import folder_of_weights
from tests.support.synthetic_music import melody

RATE = 24_000
TEXTS = ["slow piano", "loud drums, fast!"]
FILES = [*plugin.NEEDS.weights, *plugin.NEEDS.text_weights]


@pytest.fixture(scope="module")
def files() -> dict[WeightFile, Path]:
    """Return the paths of the random weights."""
    folder = folder_of_weights()
    return {file: folder / file.repository / file.filename for file in FILES}


@pytest.fixture(scope="module")
def encoder(files: dict[WeightFile, Path]) -> plugin.Plugin:
    return load(files)


@pytest.fixture
def from_hub(files: dict[WeightFile, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the model that the library's public loader loads from a filled cache of the hub."""
    hub = tmp_path / "hub"
    audio, text = (hub_folder(hub, name) for name in (muq.REPOSITORY, "xlm-roberta-base"))
    shutil.copytree(folder_of_weights() / muq.REPOSITORY, audio, dirs_exist_ok=True)
    shutil.copy(files[plugin.TEXT_CONFIG], text)
    shutil.copy(files[plugin.TOKENIZER], text)
    config = transformers.XLMRobertaConfig.from_json_file(files[plugin.TEXT_CONFIG])
    transformers.XLMRobertaModel(config).save_pretrained(text)
    for file in (plugin.CONFIG, plugin.CHECKPOINT):
        shutil.copy(files[file], hub_folder(hub, plugin.REPOSITORY))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    model = muq_mulan.muq.MuQMuLan.from_pretrained(plugin.REPOSITORY, cache_dir=hub)
    restore_hidden_states(model.mulan.audio.model.model.conformer)
    return model.eval()


def hub_folder(hub: Path, repository: str) -> Path:
    """Return the folder in which a cache of the hub stores the files of a repository."""
    root = hub / f"models--{repository.replace('/', '--')}"
    (root / "refs").mkdir(parents=True, exist_ok=True)
    (root / "refs" / "main").write_text("0" * 40)
    (root / "snapshots" / ("0" * 40)).mkdir(parents=True, exist_ok=True)
    return root / "snapshots" / ("0" * 40)


def load(files: dict[WeightFile, Path], dtype: str = "float32") -> plugin.Plugin:
    return plugin.Plugin(Runtime(files, dtype, "cpu"))


def segment(seconds: float, seed: int = 0) -> AudioSegment:
    return AudioSegment(melody(seconds, RATE, seed=seed), RATE)


def cosine(row: Float32, other_row: Float32) -> float:
    return float(row @ other_row / (np.linalg.norm(row) * np.linalg.norm(other_row)))


@torch.inference_mode()
def test_windows_and_texts_have_the_same_vectors_as_with_the_library(
    encoder: plugin.Plugin, from_hub: Any
) -> None:
    segments = [segment(10, seed) for seed in range(2)]
    wavs = torch.from_numpy(np.stack([each.samples for each in segments]))
    assert np.array_equal(encoder.embed(segments), from_hub(wavs=wavs).numpy())
    for text, row in zip(TEXTS, encoder.embed_text(TEXTS), strict=True):
        assert np.array_equal(row, from_hub(texts=[text])[0].numpy())


@torch.inference_mode()
def test_a_last_window_of_more_than_half_the_length_is_filled_as_by_the_library(
    encoder: plugin.Plugin, from_hub: Any
) -> None:
    short = segment(7)
    expected = from_hub(wavs=torch.from_numpy(short.samples[None]))
    assert np.array_equal(encoder.embed([short]), expected.numpy())


@torch.inference_mode()
def test_a_text_has_the_same_vector_with_others_unlike_in_the_library(
    encoder: plugin.Plugin, from_hub: Any
) -> None:
    alone, beside_others = (encoder.embed_text(texts)[0] for texts in (TEXTS[:1], TEXTS))
    assert np.array_equal(alone, beside_others)
    in_library = [from_hub(texts=texts)[0].numpy() for texts in (TEXTS[:1], TEXTS)]
    assert not np.allclose(*in_library, atol=1e-5)


def test_rows_are_unit_vectors_that_depend_on_the_input(encoder: plugin.Plugin) -> None:
    audio = encoder.embed([segment(10, seed) for seed in range(2)])
    text = encoder.embed_text(TEXTS)
    for rows in (audio, text):
        assert rows.shape == (2, 512)
        assert rows.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, rtol=1e-5)
        assert cosine(*rows) < 0.99999


def test_a_text_with_more_tokens_than_positions_is_cut(encoder: plugin.Plugin) -> None:
    rows = encoder.embed_text(["piano " * count for count in (511, 600, 700)])
    assert np.array_equal(rows[1], rows[2])
    assert np.isfinite(rows).all()


def test_a_segment_longer_than_a_window_is_refused(encoder: plugin.Plugin) -> None:
    with pytest.raises(PluginError, match="240001 samples"):
        encoder.embed([segment(240_001 / RATE)])


def test_bfloat16_gives_nearly_the_same_vector(
    encoder: plugin.Plugin, files: dict[WeightFile, Path]
) -> None:
    vector = load(files, "bfloat16").embed([segment(10)])[0]
    assert vector.dtype == np.float32
    assert 0.999 <= cosine(vector, encoder.embed([segment(10)])[0]) < 1


@pytest.mark.parametrize(
    "name",
    [
        "mulan.audio.model.model.conformer.layers.1.ffn1.output_dense.weight",
        "mulan.audio_to_latents.bias",
        "mulan.text.model.encoder.layer.0.output.dense.weight",
        "mulan.text.transformer.layers.1.0.to_q.weight",
    ],
)
def test_a_checkpoint_with_a_missing_weight_is_refused(
    files: dict[WeightFile, Path], tmp_path: Path, name: str
) -> None:
    state = torch.load(files[plugin.CHECKPOINT], weights_only=True, mmap=True)
    del state[name]
    torch.save(state, tmp_path / "incomplete.bin")
    with pytest.raises(PluginError, match=f"are missing: {name}"):
        load(files | {plugin.CHECKPOINT: tmp_path / "incomplete.bin"})


def test_a_checkpoint_with_code_is_refused_before_the_code_runs(
    files: dict[WeightFile, Path], tmp_path: Path
) -> None:
    class Payload:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "ran",)

    torch.save({"mulan.audio_to_latents.bias": Payload()}, tmp_path / "bad.bin")
    with pytest.raises(Exception, match="weights_only"):
        load(files | {plugin.CHECKPOINT: tmp_path / "bad.bin"})
    assert not (tmp_path / "ran").exists()


def test_the_error_for_a_missing_tokenizer_names_the_remedy(
    files: dict[WeightFile, Path],
) -> None:
    without = {file: path for file, path in files.items() if file != plugin.TOKENIZER}
    with pytest.raises(PluginError, match="mirpipe models pull"):
        load(without).embed_text(["x"])


def test_a_tokenizer_of_another_size_than_the_model_is_refused(
    files: dict[WeightFile, Path], tmp_path: Path
) -> None:
    other = transformers.XLMRobertaTokenizer(vocab=random_muq_mulan_weights.vocabulary()[:4])
    other.backend_tokenizer.save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(PluginError, match="The tokenizer has"):
        load(files | {plugin.TOKENIZER: tmp_path / "tokenizer.json"}).embed_text(["x"])


def test_the_constructor_keeps_the_loaders_of_the_libraries(
    files: dict[WeightFile, Path],
) -> None:
    loaders = muq_mulan.muq.MuQ.from_pretrained, transformers.XLMRobertaModel.from_pretrained
    muq_mulan.construct(
        config=files[plugin.CONFIG],
        audio_config=files[muq.CONFIG],
        text_config=files[plugin.TEXT_CONFIG],
    )
    assert loaders == (
        muq_mulan.muq.MuQ.from_pretrained,
        transformers.XLMRobertaModel.from_pretrained,
    )
