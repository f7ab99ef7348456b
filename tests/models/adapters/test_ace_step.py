"""Tests for the inputs, the clips and the loading errors of the ACE-Step adapter."""

import gc
import weakref
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from mirpipe.errors import PluginError
from mirpipe.plugins.generators import ace_step as plugin
from mirpipe.records import AudioSegment, Float32, GenerationRequest
from mirpipe.specs import Runtime, WeightFile
from tests.models.adapters import musicgen_requests
from tests.models.adapters.musicgen_requests import generate_alone, random_weights_of

RATE = plugin.SPEC.sample_rate
request = partial(musicgen_requests.request, sample_rate=RATE)


@pytest.fixture(scope="module")
def files() -> dict[WeightFile, Path]:
    """Return the paths of the random weights."""
    return random_weights_of(plugin)


@pytest.fixture(scope="module")
def generator(files: dict[WeightFile, Path]) -> plugin.Plugin:
    return load(files)


def load(files: Mapping[WeightFile, Path], dtype: str = "float32") -> plugin.Plugin:
    return plugin.Plugin(Runtime(files, dtype, "cpu"))


def is_different(clip: Float32, other_clip: Float32) -> bool:
    """Return whether two clips differ by more than rounding."""
    return bool(np.abs(clip - other_clip).mean() > 0.003 * np.abs(clip).mean())


@pytest.mark.parametrize("melody_seed", [None, 1])
def test_each_part_of_a_request_changes_the_clip(
    generator: plugin.Plugin, melody_seed: int | None
) -> None:
    same = request(melody_seed=melody_seed)
    clip = generate_alone(generator, same)
    assert np.array_equal(clip, generate_alone(generator, same))
    others = [
        replace(same, prompt="wild drums"),
        replace(same, seed=1),
        request(melody_seed=melody_seed, guidance=1.0),
        request(melody_seed=melody_seed, guidance=5.0),
        request(melody_seed=2),
    ]
    for other in others:
        assert is_different(clip, generate_alone(generator, other)), other


@pytest.mark.parametrize("melody_seed", [None, 1])
@pytest.mark.parametrize("seconds", [0.28, 0.30001, 1.1])
def test_a_clip_is_mono_and_has_the_requested_length(
    generator: plugin.Plugin, melody_seed: int | None, seconds: float
) -> None:
    clip = generate_alone(generator, request(melody_seed=melody_seed, seconds=seconds))
    assert clip.shape == (round(seconds * RATE),)


def test_the_conditioning_audio_is_cut_or_repeated(generator: plugin.Plugin) -> None:
    long = request(melody_seed=1)
    samples = conditioning_of(long)
    cut = with_conditioning(long, samples[: round(long.seconds * RATE)])
    assert np.array_equal(generate_alone(generator, long), generate_alone(generator, cut))
    once = with_conditioning(long, samples[: RATE // 5])
    twice = with_conditioning(long, np.tile(samples[: RATE // 5], 2))
    assert np.array_equal(generate_alone(generator, once), generate_alone(generator, twice))


def conditioning_of(request: GenerationRequest) -> Float32:
    assert request.conditioning is not None
    return request.conditioning.samples


def with_conditioning(request: GenerationRequest, samples: Float32) -> GenerationRequest:
    return replace(request, conditioning=AudioSegment(samples, RATE))


def test_more_than_ten_minutes_are_refused(generator: plugin.Plugin) -> None:
    with pytest.raises(PluginError, match="at most 600 s"):
        generator.generate([request(seconds=601)])


def test_clips_can_be_computed_in_bfloat16(files: dict[WeightFile, Path]) -> None:
    bfloat16_generator = load(files, "bfloat16")
    for melody_seed in (None, 1):
        clip = generate_alone(bfloat16_generator, request(melody_seed=melody_seed))
        assert clip.dtype == np.float32
        assert clip.std() > 1e-3


@pytest.mark.parametrize(
    ("part", "weight"),
    [
        ("vae", "encoder.conv1.bias"),
        ("transformer", "proj_in_conv.weight"),
        ("condition_encoder", "null_condition_emb"),
        ("condition_encoder", "silence_latent"),
        ("audio_tokenizer", "quantizer.project_in.weight"),
        ("audio_token_detokenizer", "proj_out.weight"),
        ("text_encoder", "embed_tokens.weight"),
    ],
)
def test_a_checkpoint_with_a_missing_weight_is_refused(
    files: dict[WeightFile, Path], tmp_path: Path, part: str, weight: str
) -> None:
    [file] = [
        file
        for file in files
        if file.filename.startswith(f"{part}/") and file.filename.endswith(".safetensors")
    ]
    weights = load_file(files[file])
    del weights[weight]
    save_file(weights, tmp_path / "weights", metadata={"format": "pt"})
    with pytest.raises(PluginError, match=f"are missing: {part}.{weight}"):
        load(files | {file: tmp_path / "weights"})


def test_a_missing_tokenizer_file_is_detected(files: dict[WeightFile, Path]) -> None:
    without_tokenizer = {
        file: path for file, path in files.items() if file.filename != "tokenizer/tokenizer.json"
    }
    with pytest.raises(PluginError, match="tokens, but the model needs about 257"):
        load(without_tokenizer)


def test_deleting_the_plugin_frees_the_model(files: dict[WeightFile, Path]) -> None:
    generator = load(files)
    generator.generate([request(melody_seed=1)])
    model = weakref.ref(generator._model._pipeline.transformer)
    del generator
    gc.collect()
    assert model() is None


def test_the_model_is_in_evaluation_mode_without_gradients(generator: plugin.Plugin) -> None:
    pipeline = generator._model._pipeline
    models = [part for part in pipeline.components.values() if isinstance(part, torch.nn.Module)]
    assert len(models) == 6
    for model in models:
        assert not any(module.training for module in model.modules())
        assert not any(weights.requires_grad for weights in model.parameters())
