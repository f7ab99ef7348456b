"""Tests that the audiocraft adapter continues long clips and loads only the given files."""

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
from tests.models.adapters.musicgen_requests import (
    RATE,
    generate_alone,
    is_different_music,
    random_weights_of,
    request,
)

STUBS = {"av", "flashy", "spacy", "xformers"}
"""Packages that are stubs while the library is imported."""


@pytest.fixture(scope="module")
def files() -> dict[WeightFile, Path]:
    """Return the paths of the random weights."""
    return random_weights_of(plugin)


@pytest.fixture(scope="module")
def generator(files: dict[WeightFile, Path]) -> plugin.Plugin:
    return load(files)


def load(files: Mapping[WeightFile, Path], dtype: str = "float32") -> plugin.Plugin:
    return plugin.Plugin(Runtime(files, dtype, "cpu"))


@pytest.mark.parametrize("seconds", [0.58, 29.98, 29.999, 30.0, 30.01, 61.7])
def test_the_number_of_frames_is_the_smallest_that_covers_the_duration(
    generator: plugin.Plugin, seconds: float
) -> None:
    duration = generator._model._duration(seconds)
    assert int(duration * 50) == math.ceil(seconds * 50)
    assert (duration <= 30) == (seconds <= 30)


def test_a_clip_beyond_the_longest_is_continued_with_the_melody(
    files: dict[WeightFile, Path],
) -> None:
    generator = load(files)
    # The published values are 30 s and a stride of 18 s. This test uses smaller values.
    generator._model.library.max_duration = 0.5
    generator._model._sampling["extend_stride"] = 0.3
    clips = generator.generate([request(seconds=0.712, melody_seed=seed) for seed in (1, 2)])
    assert all(clip.shape == (round(0.712 * RATE),) for clip in clips)
    assert is_different_music(clips[0][-RATE // 5 :], clips[1][-RATE // 5 :])


def test_more_than_five_minutes_are_refused(generator: plugin.Plugin) -> None:
    with pytest.raises(PluginError, match="at most 300 s"):
        generator.generate([request(seconds=301)])


def test_with_bfloat16_chroma_and_codec_compute_in_float32(files: dict[WeightFile, Path]) -> None:
    generator = load(files, "bfloat16")
    model = generator._model.library
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
            lambda _part, _inputs, output, name=name: dtypes.update({name: output.dtype})
        )
    clip = generate_alone(generator, request(melody_seed=1))
    assert dtypes.pop("model") == torch.bfloat16
    assert set(dtypes.values()) == {torch.float32}
    assert len(dtypes) == 3
    assert clip.dtype == np.float32


def test_no_stub_module_remains_imported(generator: plugin.Plugin) -> None:
    generator.generate([request(melody_seed=1)])
    assert not STUBS & {name.partition(".")[0] for name in sys.modules}


def test_a_checkpoint_with_code_is_refused(files: dict[WeightFile, Path], tmp_path: Path) -> None:
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
    metadata = {"klass": "os.mkdir", "args": f'["{tmp_path}/it ran"]', "kwargs": "{}"}
    save_file(load_file(files[plugin.SEPARATOR]), tmp_path / "hostile", metadata=metadata)
    with pytest.raises(PluginError, match=f"is not a {SEPARATOR_CLASS} checkpoint"):
        load(files | {plugin.SEPARATOR: tmp_path / "hostile"})
    assert not (tmp_path / "it ran").exists()


def test_a_checkpoint_that_names_a_model_on_the_hub_is_refused(
    files: dict[WeightFile, Path], tmp_path: Path
) -> None:
    torch.save({"pretrained": "facebook/encodec_32khz"}, tmp_path / "named")
    with pytest.raises(PluginError, match="refers to another model and has no weights"):
        load(files | {plugin.CODEC: tmp_path / "named"})


def test_a_t5_with_a_missing_weight_is_refused(
    files: dict[WeightFile, Path], tmp_path: Path
) -> None:
    checkpoint = plugin.TEXT_ENCODER[-1]
    weights = load_file(files[checkpoint])
    del weights["encoder.final_layer_norm.weight"]
    save_file(weights, tmp_path / "t5", metadata={"format": "pt"})
    with pytest.raises(
        PluginError, match=r"T5 checkpoint is incomplete.* are missing: encoder\.final_layer_norm"
    ):
        load(files | {checkpoint: tmp_path / "t5"})


def test_deleting_the_plugin_frees_the_model(files: dict[WeightFile, Path]) -> None:
    generator = load(files)
    generator.generate([request(melody_seed=1)])
    parts = generator._model.library.lm, generator._model.library.compression_model
    models = [weakref.ref(part) for part in parts]
    del generator, parts
    gc.collect()
    assert [model() for model in models] == [None, None]
