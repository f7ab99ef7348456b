"""The model libraries beside ours, measured in the models' interpreter, as Markdown."""

import math
from collections.abc import Mapping
from pathlib import Path

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
long track takes no more is a contract test of every model
(`tests/plugins/contract/test_offline_process.py`).

| model | n | library | f32 | bf16 | f32 ÷ library | bf16 ÷ library | goal | agreement | peak |
|---|---:|---:|---:|---:|---:|---:|---|---:|---:|
"""

ABSENT = """## Model libraries

Not measured here; `make models` makes their interpreter.
"""

FOOT = """
A product of matrices (2,048 × 2,048, one thread) takes float32 {gain:.2f} times as long as bfloat16
on this processor: {extensions}. {verdict}

Not run: everything on CUDA, its automatic batch size included; the table is of processors.
"""
_WITHOUT_GAIN = """Where such products take the time, the goals of bfloat16
cannot be met here; float32 is the default."""
_WITH_GAIN = "That much bfloat16 can gain where such products take the time."


def section(found: Mapping[str, Mapping[str, float]], gain: float | None) -> str:
    """The section, of the models that were measured.

    `gain` is how many times as many products of matrices a second bfloat16 has here.
    """
    if not found:
        return ABSENT
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
    if gain is None:
        return "".join(lines)
    verdict = _WITHOUT_GAIN if gain < min(GOALS.values()) else _WITH_GAIN
    return "".join(lines) + FOOT.format(extensions=_extensions(), gain=gain, verdict=verdict)


def _extensions() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    flags = set(cpuinfo.read_text().split()) if cpuinfo.exists() else set()
    said = [f"{'has' if flag in flags else 'no'} {flag}" for flag in ("avx512_bf16", "amx_bf16")]
    return ", ".join(said)
