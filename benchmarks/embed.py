"""Measures the offline encoders on the demo library: seconds of audio per CPU second."""

import time

from mirpipe import audio, registry
from mirpipe.settings import PROJECT
from mirpipe.stages.embed import embed_file


def run() -> list[tuple[str, float, str]]:
    """Return name, value and unit of each measurement. This takes half a minute."""
    files = sorted((PROJECT / "demo" / "target").glob("*.ogg"))
    seconds = sum(audio.read_audio_facts(path).seconds for path in files)
    results = []
    for name in ("musicnn", "signal"):
        registry.ENCODERS.load(name)  # Imports are not part of the measurement.
        started = time.process_time()
        for path in files:
            embed_file(name, path)
        spent = time.process_time() - started
        results.append((f"embed, {name}: decode, window, encode", seconds / spent, "s/CPU-s"))
    return results
