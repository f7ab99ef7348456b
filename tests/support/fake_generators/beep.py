"""A generator for tests: a tone for every request; environment variables make it fail.

BEEP_LOG names a file that gets a line a clip. BEEP_ROOM is how many requests fit into memory.
BEEP_DIES_AT kills the process at that many lines of the log. A prompt that holds `broken` raises,
one that holds `silent` gives silence.
"""

import os
import signal
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mirpipe.errors import OutOfMemory
from mirpipe.records import Float32, Request
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
    """Deaf to guidance: medium and strong are the same samples."""

    def generate(self, requests: Sequence[Request]) -> list[Float32]:
        """A tone a request."""
        if len(requests) > int(os.environ.get("BEEP_ROOM", "99")):
            raise OutOfMemory(f"no room for {len(requests)} clips")
        clips = []
        for request in requests:
            if "broken" in request.prompt:
                raise RuntimeError("the model fell over")
            _log(request)
            clips.append(_tone(request))
        return clips


def _tone(request: Request) -> Float32:
    time = np.arange(round(request.seconds * SPEC.sample_rate)) / SPEC.sample_rate
    hertz = 100 * (1 + request.seed) + 10 * len(request.prompt) + (request.conditioning is not None)
    level = 0.0 if "silent" in request.prompt else 0.5
    return (level * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


def _log(request: Request) -> None:
    if "BEEP_LOG" not in os.environ:
        return
    log = Path(os.environ["BEEP_LOG"])
    with log.open("a") as file:
        file.write(f"{request.mode.name} {request.mode.guidance} {request.seed} {request.prompt}\n")
    if len(log.read_text().splitlines()) == int(os.environ.get("BEEP_DIES_AT", "0")):
        os.kill(os.getpid(), signal.SIGKILL)
