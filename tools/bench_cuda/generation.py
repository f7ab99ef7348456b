"""Measures MusicGen-Melody: speed by mode and batch size, memory, and clips in batches."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from benchmarks.full_size_generation import write_musicgen_melody
from mirpipe.generation.modes import MODES, Mode
from mirpipe.plugins.generators.musicgen_melody import SPEC
from mirpipe.records import AudioSegment, GenerationRequest
from tests.support.synthetic_music import melody
from tools.bench_cuda.measurement import (
    Options,
    load_plugin,
    peak_megabytes,
    reset_peak,
)
from tools.bench_cuda.small_card import room_for_part_of, small_card
from tools.bench_cuda.windows import weights_of

BATCHES = (1, 8, 32)
CLIP_SECONDS = 5.0
PROMPTS = (
    "calm piano",
    "a slow waltz for strings",
    "wild drums and brass",
    "folk song with guitar and flute, bright and fast",
)


def measure_generation(name: str, options: Options) -> dict[str, Any]:
    """Return seconds of music per second by number format, mode and batch size, and the rest."""
    if options.is_tiny:
        files = weights_of(name, options)
    else:
        files = write_musicgen_melody(options.folder, device=options.device)
    batches = (1, 2) if options.is_tiny else BATCHES
    result: dict[str, Any] = {"clip_seconds": clip_seconds(options)}
    first_scores: dict[str, Any] = {}
    # bfloat16 is faster, so it is measured first.
    for dtype in ("bfloat16", "float32"):
        plugin = load_plugin(name, files, dtype, options)
        # In float32, one mode is enough, because all modes take the same number of steps.
        modes = MODES if dtype == "bfloat16" else MODES[-1:]
        speeds, peaks = _speed_by_mode(plugin, modes, batches, options)
        same, first_scores[dtype] = _alone_and_together(plugin, batches[1], options)
        result[dtype] = {"speed": speeds, "peak_megabytes": peaks, "same_in_batch": same}
        if dtype == "bfloat16":
            result["halving"] = _halving(plugin, batches[1], peaks, options)
        del plugin
    one, other = (scores.flatten() for scores in first_scores.values())
    result["agreement"] = {"cosine": float(torch.cosine_similarity(one, other, dim=0))}
    return result


def clip_seconds(options: Options) -> float:
    """Return the length of each clip, in seconds."""
    return 0.2 if options.is_tiny else CLIP_SECONDS


def requests(count: int, mode: Mode, options: Options) -> list[GenerationRequest]:
    """Return requests with different prompts, melodies and seeds."""
    seconds = clip_seconds(options)
    return [
        GenerationRequest(
            mode,
            PROMPTS[number % len(PROMPTS)],
            seconds,
            seed=number,
            conditioning=AudioSegment(melody(seconds, SPEC.sample_rate, seed=number), 32_000)
            if mode.is_conditioned
            else None,
            features=None,
        )
        for number in range(count)
    ]


def _speed_by_mode(
    plugin: Any, modes: Sequence[Mode], batches: Sequence[int], options: Options
) -> tuple[dict[str, dict[str, float | None]], dict[str, int]]:
    """Return seconds of music per second, and the peak memory by batch size, in MB.

    The speed of a batch that does not fit is None.
    """
    speeds: dict[str, dict[str, float | None]] = {mode.name: {} for mode in modes}
    peaks: dict[str, int] = {}
    plugin.generate(requests(1, modes[-1], options))
    for size in batches:
        for mode in modes:
            asked = requests(size, mode, options)
            reset_peak(options.device)
            plugin._model.batch_size = size
            started = time.monotonic()
            plugin.generate(asked)
            seconds = time.monotonic() - started
            if plugin._model.batch_size < size:  # It did not fit, and was halved.
                speeds[mode.name][str(size)] = None
                continue
            speeds[mode.name][str(size)] = round(size * clip_seconds(options) / seconds, 3)
            peaks[str(size)] = peak_megabytes(options.device)
    return speeds, peaks


def _alone_and_together(plugin: Any, size: int, options: Options) -> tuple[dict[str, Any], Any]:
    """Return how many clips of a batch are the same as alone, and scores of the first step.

    All batches have the same shape: a request that is alone is filled up with copies. `as_single`
    counts the clips that are the same as without batches. The scores are the decoder's output for
    the first request, which is generated without batches.
    """
    asked = requests(size, MODES[-1], options)
    plugin._model.batch_size = 1
    with first_step_scores(plugin) as scores:
        single = [plugin.generate([request])[0] for request in asked[:2]]
    plugin._model.batch_size = size
    together = plugin.generate(asked)
    alone = [plugin.generate([request])[0] for request in asked[:2]]
    return {
        "clips": len(alone),
        "same": sum(map(np.array_equal, alone, together)),
        "as_single": sum(map(np.array_equal, single, together)),
    }, scores[0]


@contextmanager
def first_step_scores(plugin: Any) -> Iterator[list[Any]]:
    """While the context is open, collect the decoder's scores of the first step of each call."""
    scores: list[Any] = []

    def collect(_decoder: Any, _inputs: Any, kwargs: dict[str, Any], output: Any) -> None:
        if kwargs["encoder_hidden_states"] is not None:
            scores.append(output.logits[:, -1].float().cpu())

    handle = plugin._model._model.decoder.register_forward_hook(collect, with_kwargs=True)
    try:
        yield scores
    finally:
        handle.remove()


def _halving(plugin: Any, size: int, peaks: dict[str, int], options: Options) -> dict[str, Any]:
    """Return whether a batch that does not fit is halved. On the CPU, the error is simulated."""
    plugin._model.batch_size = size
    with limited_memory(plugin, peaks.get(str(size), 0), options):
        plugin.generate(requests(size, MODES[-1], options))
    return {
        "from": size,
        "to": plugin._model.batch_size,
        "is_simulated": options.device == "cpu",
    }


@contextmanager
def limited_memory(plugin: Any, peak: float, options: Options) -> Iterator[None]:
    """While the context is open, a complete batch does not fit into memory."""
    if options.device == "cuda":
        with small_card(room_for_part_of(peak)):
            yield
        return

    def fail(_decoder: Any, _inputs: Any, kwargs: dict[str, Any]) -> None:
        if len(kwargs["input_ids"]) > 2 * _decoder.num_codebooks:  # With guidance, one request.
            raise torch.cuda.OutOfMemoryError("simulated")

    handle = plugin._model._model.decoder.register_forward_pre_hook(fail, with_kwargs=True)
    try:
        yield
    finally:
        handle.remove()
