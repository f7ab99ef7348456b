"""A fake generator that returns a tone for every request. Environment variables make it fail.

BEEP_LOG is a file to which one line per clip is written. BEEP_ROOM is the number of requests that
fit in memory. When the log has BEEP_DIES_AT lines, the process is killed. A prompt that contains
`broken` raises RuntimeError. A prompt that contains `silent` produces a silent clip.
"""

import os
import signal
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mirpipe.errors import OutOfMemory
from mirpipe.records import Float32, GenerationRequest
from mirpipe.specs import GeneratorSpec

SPEC = GeneratorSpec(
    name="beep",
    version=1,
    checkpoint="none",
    checkpoint_sha256="",
    sample_rate=8000,
    longest_seconds=1.5,
    has_guidance=True,
    sampling={"top_k": 250},
    licence_code="Apache-2.0",
    licence_weights="none",
    citation="none",
)


class Plugin:
    """A generator without guidance, so the modes medium and strong produce the same samples."""

    def generate(self, requests: Sequence[GenerationRequest]) -> list[Float32]:
        """Return one tone per request."""
        if len(requests) > int(os.environ.get("BEEP_ROOM", "99")):
            raise OutOfMemory(f"no room for {len(requests)} clips")
        clips = []
        for request in requests:
            if "broken" in request.prompt:
                raise RuntimeError("the model failed")
            _log(request)
            clips.append(_tone(request))
        return clips


def _tone(request: GenerationRequest) -> Float32:
    time = np.arange(round(request.seconds * SPEC.sample_rate)) / SPEC.sample_rate
    hertz = 100 * (1 + request.seed) + 10 * len(request.prompt) + (request.conditioning is not None)
    level = 0.0 if "silent" in request.prompt else 0.5
    return (level * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


def _log(request: GenerationRequest) -> None:
    if "BEEP_LOG" not in os.environ:
        return
    log = Path(os.environ["BEEP_LOG"])
    with log.open("a") as file:
        file.write(f"{request.mode.name} {request.mode.guidance} {request.seed} {request.prompt}\n")
    if len(log.read_text().splitlines()) == int(os.environ.get("BEEP_DIES_AT", "0")):
        os.kill(os.getpid(), signal.SIGKILL)
