"""MusicGen-Melody by audiocraft: it goes on beyond its longest, and loads only what was given."""

import gc
import math
import os
import sys
import weakref
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from mirpipe.errors import PluginError
from mirpipe.models.adapters.audiocraft import SEPARATOR_CLASS
from mirpipe.plugins.generators import musicgen_melody_audiocraft as plugin
from mirpipe.specs import Runtime, WeightFile
from tests.models.adapters.musicgen_requests import RATE, far_apart, one, request, stand_in_of

STANDING_IN = {"av", "flashy", "spacy", "xformers"}


@pytest.fixture(scope="module")
def files() -> dict[WeightFile, Path]:
    """Where the stand-in's weights lie."""
    return stand_in_of(plugin)


@pytest.fixture(scope="module")
def generator(files: dict[WeightFile, Path]) -> plugin.Plugin:
    return load(files)


def load(files: Mapping[WeightFile, Path], dtype: str = "float32") -> plugin.Plugin:
    return plugin.Plugin(Runtime(files, dtype, "cpu"))


@pytest.mark.parametrize("seconds", [0.58, 29.98, 29.999, 30.0, 30.01, 61.7])
def test_frames_are_enough_for_the_duration_and_no_more(
    generator: plugin.Plugin, seconds: float
) -> None:
    duration = generator._model._duration(seconds)
    assert int(duration * 50) == math.ceil(seconds * 50)
    assert (duration <= 30) == (seconds <= 30)


def test_beyond_its_longest_the_model_goes_on_from_what_it_made(
    files: dict[WeightFile, Path],
) -> None:
    generator = load(files)
    # thirty seconds and a stride of eighteen, made small
    generator._model._model.max_duration = 0.5
    generator._model._sampling["extend_stride"] = 0.3
    clips = generator.generate([request(seconds=0.712, heard=heard) for heard in (1, 2)])
    assert all(clip.shape == (round(0.712 * RATE),) for clip in clips)
    assert far_apart(clips[0][-RATE // 5 :], clips[1][-RATE // 5 :])


def test_more_than_five_minutes_are_refused(generator: plugin.Plugin) -> None:
    with pytest.raises(PluginError, match="at most 300 s"):
        generator.generate([request(seconds=301)])


def test_bfloat16_leaves_chroma_and_codec_their_digits(files: dict[WeightFile, Path]) -> None:
    lowered = load(files, "bfloat16")
    model = lowered._model._model
    chroma = model.lm.condition_provider.conditioners["self_wav"]
    parts = {
        "model": model.lm.linears[0],
        "separator": chroma.demucs.models[0],
        "chroma": chroma.chroma,
        "codec": model.compression_model.decoder,
    }
    dtypes: dict[str, Any] = {}
    for name, part in parts.items():
        part.register_forward_hook(
            lambda _part, _given, made, name=name: dtypes.update({name: made.dtype})
        )
    clip = one(lowered, request(heard=1))
    assert dtypes.pop("model") == torch.bfloat16
    assert set(dtypes.values()) == {torch.float32}
    assert len(dtypes) == 3
    assert clip.dtype == np.float32


def test_nothing_that_stands_in_is_left_behind(generator: plugin.Plugin) -> None:
    generator.generate([request(heard=1)])
    assert not STANDING_IN & {name.partition(".")[0] for name in sys.modules}


def test_a_checkpoint_that_runs_code_is_refused(
    files: dict[WeightFile, Path], tmp_path: Path
) -> None:
    class Hostile:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "it ran"),)

    for file in (plugin.LANGUAGE_MODEL, plugin.CODEC):
        torch.save({"best_state": Hostile(), "xp.cfg": ""}, tmp_path / "hostile")
        with pytest.raises(UnpicklingError):
            load(files | {file: tmp_path / "hostile"})
    assert not (tmp_path / "it ran").exists()


def test_a_separator_of_another_class_is_refused(
    files: dict[WeightFile, Path], tmp_path: Path
) -> None:
    said = {"klass": "os.mkdir", "args": f'["{tmp_path}/it ran"]', "kwargs": "{}"}
    save_file(load_file(files[plugin.SEPARATOR]), tmp_path / "hostile", metadata=said)
    with pytest.raises(PluginError, match=f"is not a checkpoint of {SEPARATOR_CLASS}"):
        load(files | {plugin.SEPARATOR: tmp_path / "hostile"})
    assert not (tmp_path / "it ran").exists()


def test_a_checkpoint_that_names_a_model_on_the_hub_is_refused(
    files: dict[WeightFile, Path], tmp_path: Path
) -> None:
    torch.save({"pretrained": "facebook/encodec_32khz"}, tmp_path / "named")
    with pytest.raises(PluginError, match="names a model instead of holding one"):
        load(files | {plugin.CODEC: tmp_path / "named"})


def test_a_t5_that_lacks_a_weight_is_refused(files: dict[WeightFile, Path], tmp_path: Path) -> None:
    checkpoint = plugin.TEXT_ENCODER[-1]
    weights = load_file(files[checkpoint])
    del weights["encoder.final_layer_norm.weight"]
    save_file(weights, tmp_path / "t5", metadata={"format": "pt"})
    with pytest.raises(PluginError, match=r"T5 lacks 1 weights, encoder\.final_layer_norm"):
        load(files | {checkpoint: tmp_path / "t5"})


def test_the_model_is_gone_with_its_plugin(files: dict[WeightFile, Path]) -> None:
    loaded = load(files)
    loaded.generate([request(heard=1)])
    parts = loaded._model._model.lm, loaded._model._model.compression_model
    models = [weakref.ref(part) for part in parts]
    del loaded, parts
    gc.collect()
    assert [model() for model in models] == [None, None]
