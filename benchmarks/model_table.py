"""The model libraries beside ours, measured in the models' interpreter, as Markdown."""

import json
import math
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from mirpipe.settings import PROJECT

GOALS = {"clap": 2.0, "clap_630k": 2.0, "muq": 2.0, "music2latent": 2.0, "audiobox_aesthetics": 1.5}
"""By model, how many times as fast as the library bfloat16 should be."""

HEAD = """## Model libraries

Each library as its documentation calls it, in float32, beside ours: the same random weights in the
true architecture, the same 60 s of made-up music as windows of ten seconds, in one process with
one thread, by turns; the best of `n` rounds, in seconds of audio a CPU second. MuQ and
Music2Latent, which take any length, are given windows too. `agreement` is the lowest cosine of any
window between ours in bfloat16 and ours in float32 (Audiobox: of the four scores of the track, with
their largest difference); between ours in float32 and the library it is {library_cosine:.5f} or
more. `peak` is that of a process that loads the weights and works on two windows in float32; that a
long track takes no more is a contract test of every model (`tests/contract/test_elsewhere.py`).

| model | n | library | f32 | bf16 | f32 ÷ library | bf16 ÷ library | goal | agreement | peak |
|---|---:|---:|---:|---:|---:|---:|---|---:|---:|
"""

ABSENT = """## Model libraries

Not measured: `make models` has not made their interpreter here.
"""

FOOT = """
A product of matrices (2,048 × 2,048, one thread) takes float32 {gain:.2f} times as long as bfloat16
on this processor: {extensions}. {verdict}

Not run: everything on CUDA, its automatic batch size included; the table is of processors.
"""
_WITHOUT_GAIN = """Where such products take the time, the goals of bfloat16
cannot be met here; float32 is the default."""
_WITH_GAIN = "That much bfloat16 can gain where such products take the time."


def table(python: Path | None) -> str:
    """The section of the page; takes a quarter of an hour."""
    if python is None:
        return ABSENT
    found = {}
    for name in GOALS:
        found[name] = _measure(python, name, "speed") | _measure(python, name, "memory")
        print(f"{name}: {found[name]}", flush=True)
    return render(found, _measure(python, "arithmetic")["bfloat16_to_float32"])


def render(found: Mapping[str, Mapping[str, float]], gain: float) -> str:
    """The section, of what was measured."""
    lowest = min(one["cosine_to_library"] for one in found.values())
    lines = [HEAD.format(library_cosine=math.floor(lowest * 1e5) / 1e5)]
    for name, one in found.items():
        by_float32, by_bfloat16 = (one[way] / one["library"] for way in ("float32", "bfloat16"))
        met = "met" if by_bfloat16 >= GOALS[name] else "not met"
        agreement = f"{one['cosine_of_bfloat16']:.5f}"
        if name == "audiobox_aesthetics":
            agreement += f", {one['largest_difference']:.4f} points"
        lines.append(
            f"| {name} | {one['repeats']} | {one['library']:.2f} | "
            f"{one['float32']:.2f} | {one['bfloat16']:.2f} | "
            f"{by_float32:.2f} | {by_bfloat16:.2f} | {GOALS[name]:g}×: {met} | {agreement} | "
            f"{one['peak_megabytes']:,.0f} MB |\n"
        )
    verdict = _WITHOUT_GAIN if gain < min(GOALS.values()) else _WITH_GAIN
    return "".join(lines) + FOOT.format(extensions=_extensions(), gain=gain, verdict=verdict)


def _measure(python: Path, *what: str) -> dict[str, float]:
    environment = os.environ | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    command = [python, "-m", "benchmarks.models", *what]
    said = subprocess.check_output(command, env=environment, cwd=PROJECT)
    measured: dict[str, float] = json.loads(said.splitlines()[-1])
    return measured


def _extensions() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    flags = set(cpuinfo.read_text().split()) if cpuinfo.exists() else set()
    said = [f"{'has' if flag in flags else 'no'} {flag}" for flag in ("avx512_bf16", "amx_bf16")]
    return ", ".join(said)
