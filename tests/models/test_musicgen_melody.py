"""MusicGen-Melody by transformers: it heeds what it is told, and a seed repeats it."""

import gc
import json
import weakref
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from mirpipe.errors import OutOfMemory, PluginError
from mirpipe.generators import musicgen_melody as plugin
from mirpipe.libraries import musicgen_melody as library
from mirpipe.musical import Request
from mirpipe.records import Float32, Runtime, WeightFile
from tests.models import stand_in_musicgen
from tests.models.musicgen_requests import RATE, far_apart, request


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[WeightFile, Path]:
    """Where the stand-in's weights lie."""
    folder = tmp_path_factory.mktemp("musicgen")
    stand_in_musicgen.write(folder)
    return {file: folder / file.repository / file.filename for file in plugin.NEEDS.weights}


@pytest.fixture(scope="module")
def generator(files: dict[WeightFile, Path]) -> plugin.Plugin:
    return load(files)


def load(files: Mapping[WeightFile, Path], dtype: str = "float32") -> plugin.Plugin:
    return plugin.Plugin(Runtime(files, dtype, "cpu"))


def one(generator: plugin.Plugin, asked: Request) -> Float32:
    return generator.generate([asked])[0]


def test_text_changes_the_music(generator: plugin.Plugin) -> None:
    assert far_apart(one(generator, request()), one(generator, request("wild drums")))


def test_the_melody_changes_the_music(generator: plugin.Plugin) -> None:
    clips = [one(generator, request(heard=heard)) for heard in (None, 1, 2)]
    assert far_apart(clips[0], clips[1])
    assert far_apart(clips[1], clips[2])


@pytest.mark.parametrize("heard", [None, 1])
def test_guidance_changes_the_music(generator: plugin.Plugin, heard: int | None) -> None:
    clips = [one(generator, request(heard=heard, guidance=value)) for value in (1.0, 3.0, 5.0)]
    assert far_apart(clips[0], clips[1])
    assert far_apart(clips[1], clips[2])


@pytest.mark.parametrize("heard", [None, 1])
def test_the_seed_repeats_the_music_to_the_bit_and_another_changes_it(
    generator: plugin.Plugin, heard: int | None
) -> None:
    clip = one(generator, request(heard=heard, seed=7))
    assert np.array_equal(clip, one(generator, request(heard=heard, seed=7)))
    assert far_apart(clip, one(generator, request(heard=heard, seed=8)))


def test_a_mode_of_text_alone_hears_nothing(generator: plugin.Plugin) -> None:
    unheard = replace(request(), conditioning=request(heard=1).conditioning)
    assert np.array_equal(one(generator, unheard), one(generator, request()))


def test_requests_of_one_call_are_made_as_they_are_alone(generator: plugin.Plugin) -> None:
    asked = [request(heard=1), request("wild drums, long prompt", seconds=0.7), request(seed=3)]
    together = generator.generate(asked)
    for clip, each in zip(together, asked, strict=True):
        assert np.array_equal(clip, one(generator, each))


@pytest.mark.parametrize("seconds", [0.0213, 0.5, 1.00001])
def test_the_duration_is_exact(generator: plugin.Plugin, seconds: float) -> None:
    assert one(generator, request(seconds=seconds)).shape == (round(seconds * RATE),)


def test_what_was_made_is_heard_and_is_float32(generator: plugin.Plugin) -> None:
    clip = one(generator, request(heard=1))
    assert clip.dtype == np.float32
    assert 1e-3 < clip.std() < 1


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
