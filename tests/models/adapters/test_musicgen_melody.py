"""Tests for errors and precision in the MusicGen-Melody adapter for transformers."""

import gc
import json
import weakref
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from mirpipe.errors import OutOfMemory, PluginError
from mirpipe.models.adapters import musicgen_melody as library
from mirpipe.plugins.generators import musicgen_melody as plugin
from mirpipe.specs import Runtime, WeightFile
from tests.models.adapters.musicgen_requests import (
    generate_alone,
    is_different_music,
    random_weights_of,
    request,
)


@pytest.fixture(scope="module")
def files() -> dict[WeightFile, Path]:
    """Return the paths of the random weights."""
    return random_weights_of(plugin)


@pytest.fixture(scope="module")
def generator(files: dict[WeightFile, Path]) -> plugin.Plugin:
    return load(files)


def load(files: Mapping[WeightFile, Path], dtype: str = "float32") -> plugin.Plugin:
    return plugin.Plugin(Runtime(files, dtype, "cpu"))


def test_more_than_thirty_seconds_are_refused(generator: plugin.Plugin) -> None:
    with pytest.raises(PluginError, match="at most 30 s"):
        generator.generate([request(seconds=31)])


def test_with_bfloat16_the_codec_computes_in_float32(
    generator: plugin.Plugin, files: dict[WeightFile, Path]
) -> None:
    bfloat16_generator = load(files, "bfloat16")
    model = bfloat16_generator._model._model
    assert model.decoder.dtype == model.text_encoder.dtype == torch.bfloat16
    assert model.audio_encoder.dtype == torch.float32
    clip = generate_alone(bfloat16_generator, request(melody_seed=1))
    assert clip.dtype == np.float32
    more_guidance = generate_alone(bfloat16_generator, request(melody_seed=1, guidance=5.0))
    assert is_different_music(clip, more_guidance)


def test_versions_of_transformers_that_ignore_the_request_are_refused(
    files: dict[WeightFile, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    for version in ("4.57.6", "5.17.1"):
        monkeypatch.setattr(library.transformers, "__version__", version)
        with pytest.raises(PluginError, match=f"transformers {version} ignores text, melody"):
            load(files)
    library.require_version("5.18.0")


def test_a_checkpoint_with_a_missing_weight_is_refused(
    files: dict[WeightFile, Path], tmp_path: Path
) -> None:
    shard = plugin.SHARDS[0]
    weights = load_file(files[shard])
    missing = "audio_enc_to_dec_proj.weight"
    del weights[missing]
    save_file(weights, tmp_path / "shard", metadata={"format": "pt"})
    index = json.loads(files[plugin.INDEX].read_text())
    del index["weight_map"][missing]
    (tmp_path / "index").write_text(json.dumps(index))
    changed = {shard: tmp_path / "shard", plugin.INDEX: tmp_path / "index"}
    with pytest.raises(PluginError, match=f"are missing: {missing}"):
        load(files | changed)


def test_a_missing_tokenizer_file_is_detected(files: dict[WeightFile, Path]) -> None:
    without_tokenizer = {
        file: path for file, path in files.items() if not file.filename.startswith("token")
    }
    with pytest.raises(PluginError, match="104 tokens, but the model needs about 147"):
        load(without_tokenizer)


def test_the_generator_still_works_after_an_out_of_memory(
    generator: plugin.Plugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = generate_alone(generator, request())
    with monkeypatch.context() as patch:
        model = generator._model._model.audio_encoder
        patch.setattr(model, "decode", lambda *_, **__: torch.empty(1 << 55))
        with pytest.raises(OutOfMemory):
            generator.generate([request()])
    assert np.array_equal(generate_alone(generator, request()), before)


def test_deleting_the_plugin_frees_the_model(files: dict[WeightFile, Path]) -> None:
    generator = load(files)
    generator.generate([request(melody_seed=1)])
    model = weakref.ref(generator._model._model)
    del generator
    gc.collect()
    assert model() is None


def test_the_model_is_in_evaluation_mode_without_gradients(generator: plugin.Plugin) -> None:
    model = generator._model._model
    assert not any(module.training for module in model.modules())
    assert not any(weights.requires_grad for weights in model.parameters())
