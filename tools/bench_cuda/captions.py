"""Measures Qwen2-Audio: captions per minute, time per token, and memory."""

import time
from typing import Any

from benchmarks.full_size_generation import write_qwen2_audio
from mirpipe.plugins.captioners.qwen2_audio import MAX_NEW_TOKENS, SPEC
from mirpipe.records import AudioSegment, CaptionInput, Features
from tests.support.synthetic_music import melody
from tools.bench_cuda.measurement import Options, load_plugin, peak_megabytes, reset_peak
from tools.bench_cuda.windows import weights_of

CAPTIONS = 8
UNMEASURED = Features(None, (), None, None, None, 0.0, (), 0.0, 0.0, {})
"""Features of a track, which the model does not use."""


def measure_captions(name: str, options: Options) -> dict[str, Any]:
    """Return captions per minute, for segments of 30 s.

    Random weights never end a caption, so each caption has the largest number of tokens.
    """
    if options.is_tiny:
        files = weights_of(name, options)
    else:
        files = write_qwen2_audio(options.folder, device=options.device)
    seconds = 2.0 if options.is_tiny else 30.0
    segments = [
        AudioSegment(melody(seconds, SPEC.sample_rate, seed=seed), SPEC.sample_rate)
        for seed in range(1 if options.is_tiny else CAPTIONS)
    ]
    inputs = [CaptionInput(segment, UNMEASURED) for segment in segments]
    reset_peak(options.device)
    plugin = load_plugin(name, files, "bfloat16", options)
    plugin.caption(inputs[:1])
    started = time.monotonic()
    plugin.caption(inputs)
    per_caption = (time.monotonic() - started) / len(inputs)
    return {
        "captions_per_minute": round(60 / per_caption, 2),
        "tokens_per_caption": MAX_NEW_TOKENS,
        "segment_seconds": seconds,
        "peak_megabytes": peak_megabytes(options.device),
    }
