"""MusicGen-Melody by transformers: what it cannot do is refused, and nothing is left random."""

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
from tests.models.adapters.musicgen_requests import far_apart, one, request, stand_in_of


@pytest.fixture(scope="module")
def files() -> dict[WeightFile, Path]:
    """Where the stand-in's weights lie."""
    return stand_in_of(plugin)


@pytest.fixture(scope="module")
def generator(files: dict[WeightFile, Path]) -> plugin.Plugin:
    return load(files)


def load(files: Mapping[WeightFile, Path], dtype: str = "float32") -> plugin.Plugin:
    return plugin.Plugin(Runtime(files, dtype, "cpu"))


def test_more_than_thirty_seconds_are_refused(generator: plugin.Plugin) -> None:
    with pytest.raises(PluginError, match="at most 30 s"):
        generator.generate([request(seconds=31)])


def test_bfloat16_leaves_the_codec_its_digits(
    generator: plugin.Plugin, files: dict[WeightFile, Path]
) -> None:
    lowered = load(files, "bfloat16")
    model = lowered._model._model
    assert model.decoder.dtype == model.text_encoder.dtype == torch.bfloat16
    assert model.audio_encoder.dtype == torch.float32
    clip = one(lowered, request(heard=1))
    assert clip.dtype == np.float32
    assert far_apart(clip, one(lowered, request(heard=1, guidance=5.0)))


def test_a_transformers_that_heeds_nothing_is_refused(
    files: dict[WeightFile, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    for version in ("4.57.6", "5.17.1"):
        monkeypatch.setattr(library.transformers, "__version__", version)
        with pytest.raises(PluginError, match=f"transformers {version} ignores text, melody"):
            load(files)
    library.require_version("5.18.0")


def test_a_missing_weight_is_refused_rather_than_left_random(
    files: dict[WeightFile, Path], tmp_path: Path
) -> None:
    shard = plugin.SHARDS[0]
    weights = load_file(files[shard])
    lost = "audio_enc_to_dec_proj.weight"
    del weights[lost]
    save_file(weights, tmp_path / "shard", metadata={"format": "pt"})
    index = json.loads(files[plugin.INDEX].read_text())
    del index["weight_map"][lost]
    (tmp_path / "index").write_text(json.dumps(index))
    changed = {shard: tmp_path / "shard", plugin.INDEX: tmp_path / "index"}
    with pytest.raises(PluginError, match=f"lacks 1 weights, {lost}"):
        load(files | changed)


def test_a_tokenizer_without_words_is_refused(files: dict[WeightFile, Path]) -> None:
    no_words = {file: path for file, path in files.items() if not file.filename.startswith("token")}
    with pytest.raises(PluginError, match="the tokenizer holds 104 tokens; the model knows 147"):
        load(no_words)


def test_a_full_memory_leaves_the_generator_as_it_was(
    generator: plugin.Plugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = one(generator, request())
    with monkeypatch.context() as patch:
        model = generator._model._model.audio_encoder
        patch.setattr(model, "decode", lambda *_, **__: torch.empty(1 << 55))
        with pytest.raises(OutOfMemory):
            generator.generate([request()])
    assert np.array_equal(one(generator, request()), before)


def test_the_model_is_gone_with_its_plugin(files: dict[WeightFile, Path]) -> None:
    loaded = load(files)
    loaded.generate([request(heard=1)])
    model = weakref.ref(loaded._model._model)
    del loaded
    gc.collect()
    assert model() is None


def test_nothing_is_left_to_train(generator: plugin.Plugin) -> None:
    model = generator._model._model
    assert not any(module.training for module in model.modules())
    assert not any(weights.requires_grad for weights in model.parameters())
