"""Measures the offline encoders on the demo library: seconds of audio per CPU second."""

import os
import time
from pathlib import Path

from mirpipe import audio, registry
from mirpipe.settings import PROJECT, settings
from mirpipe.stages.embed.window_pooling import WindowPooler, window_request

ENCODERS = (("musicnn", "float32"), ("musicnn", "int8"), ("signal", "float32"))
"""Names and number formats."""


def run() -> list[tuple[str, float, str]]:
    """Return name, value and unit of each measurement. This takes half a minute."""
    files = sorted((PROJECT / "demo" / "target").glob("*.ogg"))
    seconds = sum(audio.read_audio_facts(path).seconds for path in files)
    results = []
    for name, dtype in ENCODERS:
        os.environ["MIRPIPE_COMPUTE_DTYPE"] = dtype
        settings.cache_clear()
        speed = seconds / _cpu_seconds(name, files)
        title = name if dtype == "float32" else f"{name} in {dtype}"
        results.append((f"embed, {title}: decode, window, encode", speed, "s/CPU-s"))
    return results


def _cpu_seconds(name: str, files: list[Path]) -> float:
    """Return the CPU time for embedding these files.

    Before, the model is loaded, and silence is found, as `mirpipe ingest` does.
    """
    spec = registry.ENCODERS.spec(name)
    pooler = WindowPooler(registry.ENCODERS.load(name), spec)
    requests = [window_request(spec, audio.read_audio_facts(path).silence) for path in files]
    started = time.process_time()
    for number, (path, request) in enumerate(zip(files, requests, strict=True)):
        for _, window in audio.read_windows(path, [request]):
            pooler.add(number, window)
        pooler.complete_track(number)
    pooler.finish()
    return time.process_time() - started
