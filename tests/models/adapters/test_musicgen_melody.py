"""Tests for errors and precision in the MusicGen-Melody adapter for transformers."""

import gc
import json
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from mirpipe.errors import OutOfMemory, PluginError
from mirpipe.models.adapters import musicgen_melody as library
from mirpipe.plugins.generators import musicgen_melody as plugin
from mirpipe.records import GenerationRequest
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


def load(
    files: Mapping[WeightFile, Path], dtype: str = "float32", *, generate_batch: int = 1
) -> plugin.Plugin:
    return plugin.Plugin(Runtime(files, dtype, "cpu", generate_batch=generate_batch))


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


DIFFERENT_REQUESTS = [
    request("a much longer caption of a slow waltz in a minor", melody_seed=1, seed=5),
    request("b", seconds=0.7, guidance=5.0),
    request("wild drums", seed=3, guidance=1.0),
    request("calm piano", melody_seed=2, seconds=2.0),
]
"""Requests with different captions, melodies, guidance values, durations and seeds."""


class RowCounter:
    """Counts the rows of each decoder call, and has memory for `room` rows only."""

    def __init__(self, decoder: torch.nn.Module, *, room: int = 99) -> None:
        self.rows: list[int] = []
        self.failed: list[weakref.ref[torch.Tensor]] = []
        self.is_freed: list[bool] = []
        self._room = room
        self._handle = decoder.register_forward_pre_hook(self._count, with_kwargs=True)

    def _count(self, _decoder: torch.nn.Module, _args: object, kwargs: dict[str, Any]) -> None:
        states = kwargs["encoder_hidden_states"]
        if states is None:
            return
        self.rows.append(len(states))
        self.is_freed = [tensor() is None for tensor in self.failed]
        if len(states) > self._room:
            self.failed.append(weakref.ref(states))
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    def remove(self) -> None:
        self._handle.remove()


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_clip_has_the_same_samples_whatever_shares_its_batch(
    files: dict[WeightFile, Path], dtype: str
) -> None:
    generator = load(files, dtype, generate_batch=4)
    alone = [generate_alone(generator, each) for each in DIFFERENT_REQUESTS]
    counter = RowCounter(generator._model._model.decoder)
    together = generator.generate(DIFFERENT_REQUESTS)
    in_reverse = generator.generate(DIFFERENT_REQUESTS[::-1])[::-1]
    counter.remove()
    # Guidance doubles the rows. Requests with and without guidance do not share a batch.
    assert counter.rows == [8, 4, 8, 4]
    for clip, reverse, expected in zip(together, in_reverse, alone, strict=True):
        np.testing.assert_array_equal(clip, expected)
        np.testing.assert_array_equal(reverse, expected)


def test_a_long_caption_does_not_change_the_other_clips(files: dict[WeightFile, Path]) -> None:
    generator = load(files, "bfloat16", generate_batch=2)
    long = request("a caption with more tokens than the others " * 3)
    alone = [generate_alone(generator, each) for each in (request(), long)]
    for clip, expected in zip(generator.generate([request(), long]), alone, strict=True):
        np.testing.assert_array_equal(clip, expected)


def test_a_batch_changes_only_the_rounding_of_the_scores(
    generator: plugin.Plugin, files: dict[WeightFile, Path]
) -> None:
    scores = [scores_of(generator, DIFFERENT_REQUESTS[:1])]
    scores.append(scores_of(load(files, generate_batch=4), DIFFERENT_REQUESTS))
    codebooks = generator._model._model.decoder.num_codebooks
    for alone, in_batch in zip(*scores, strict=False):
        torch.testing.assert_close(in_batch[:codebooks], alone[:codebooks], rtol=1e-4, atol=1e-4)


def scores_of(
    generator: plugin.Plugin, requests: Sequence[GenerationRequest]
) -> list[torch.Tensor]:
    """Return the decoder's output at each step."""
    scores: list[torch.Tensor] = []
    handle = generator._model._model.decoder.register_forward_hook(
        lambda _decoder, _inputs, output: scores.append(output.logits[:, -1])
    )
    generator.generate(requests)
    handle.remove()
    return scores


def test_without_batches_requests_are_generated_one_by_one(generator: plugin.Plugin) -> None:
    counter = RowCounter(generator._model._model.decoder)
    generator.generate(DIFFERENT_REQUESTS)
    counter.remove()
    assert counter.rows == [2, 2, 1, 2]


def test_the_library_is_unchanged_after_a_batch(files: dict[WeightFile, Path]) -> None:
    generator = load(files, generate_batch=4)
    positions = generator._model._model.decoder.model.decoder.embed_positions
    expected = positions(torch.empty(1, 9, 0), 3)
    generator.generate(DIFFERENT_REQUESTS)
    assert torch.equal(positions(torch.empty(1, 9, 0), 3), expected)


def test_batches_that_do_not_fit_are_halved_and_their_tensors_are_freed(
    files: dict[WeightFile, Path],
) -> None:
    of_two, generator = load(files, generate_batch=2), load(files, generate_batch=4)
    expected = of_two.generate(DIFFERENT_REQUESTS)
    counter = RowCounter(generator._model._model.decoder, room=4)
    clips = generator.generate(DIFFERENT_REQUESTS)
    counter.remove()
    assert counter.rows == [8, 4, 2, 4]
    assert counter.is_freed == [True]
    for clip, each in zip(clips, expected, strict=True):
        np.testing.assert_array_equal(clip, each)


def test_a_single_request_that_does_not_fit_is_an_out_of_memory(
    files: dict[WeightFile, Path],
) -> None:
    generator = load(files, generate_batch=4)
    counter = RowCounter(generator._model._model.decoder, room=1)
    with pytest.raises(OutOfMemory, match=r"while it generated 0\.4 s"):
        generator.generate(DIFFERENT_REQUESTS[:1])
    counter.remove()
    assert counter.rows == [8, 4, 2]


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
