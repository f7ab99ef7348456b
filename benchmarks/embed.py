"""The offline encoders: audio seconds a CPU second, from file to vector, on the demo library."""

import time

from mirpipe import audio, registry
from mirpipe.settings import PROJECT
from mirpipe.stages.embed import embed_file


def run() -> list[tuple[str, float, str]]:
    """Name, value and unit of each measurement; takes half a minute."""
    files = sorted((PROJECT / "demo" / "target").glob("*.ogg"))
    seconds = sum(audio.inspect(path).seconds for path in files)
    measured = []
    for name in ("musicnn", "signal"):
        registry.ENCODERS.load(name)  # imports are paid once a process
        started = time.process_time()
        for path in files:
            embed_file(name, path)
        spent = time.process_time() - started
        measured.append((f"embed, {name}: decode, window, encode", seconds / spent, "s/CPU-s"))
    return measured
