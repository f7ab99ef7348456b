"""Formats the comparison between the model libraries and mirpipe's adapters as a Markdown table."""

import math
from collections.abc import Mapping
from pathlib import Path

GOALS = {"clap": 2.0, "clap_630k": 2.0, "muq": 2.0, "music2latent": 2.0, "audiobox_aesthetics": 1.5}
"""Goal for each model: bfloat16 should be this many times as fast as the library."""

HEAD = """## Model libraries

The table compares mirpipe's adapters with the model libraries. Each library is called in float32,
as its documentation shows. The library and the adapter use the same random weights in the full
architecture and the same 60 s of synthetic music in windows of ten seconds. They run alternately in
one process with one thread. The speed is the best of `n` rounds, in seconds of audio per CPU
second. MuQ and Music2Latent also receive windows, although they accept input of any length.

`agreement` is the lowest cosine similarity between a window's bfloat16 vector and its float32
vector, both from the adapter. For Audiobox, `agreement` compares the track's four scores and also
shows their largest difference. The cosine similarity between the float32 adapter and the library is
at least
{library_cosine:.5f}. `peak` is the peak memory of a process that loads the weights and runs two
windows in float32. A contract test checks for every model that a long track takes no more memory
(`tests/plugins/contract/test_offline_process.py`).

| model | n | library | f32 | bf16 | f32 ÷ library | bf16 ÷ library | goal | agreement | peak |
|---|---:|---:|---:|---:|---:|---:|---|---:|---:|
"""

NOT_MEASURED = """## Model libraries

Not measured. `make models` creates the interpreter that this part needs.
"""

FOOT = """
On this processor ({extensions}), multiplying two matrices (2,048 × 2,048, one thread) takes
{gain:.2f} times as long in float32 as in bfloat16. {verdict}

Nothing in this table was measured on CUDA. The automatic batch size on CUDA was not measured
either.
"""
_WITHOUT_GAIN = """A model that spends its time on matrix products cannot reach
its goal for bfloat16 on this processor. The default is float32."""
_WITH_GAIN = """This ratio is the largest gain from bfloat16 for a model that
spends its time on matrix products."""


def section(results: Mapping[str, Mapping[str, float]], gain: float | None) -> str:
    """Return the page section about the measured models.

    `gain` is the time of a matrix product in float32 divided by its time in bfloat16.
    """
    if not results:
        return NOT_MEASURED
    lowest = min(result["cosine_to_library"] for result in results.values())
    lines = [HEAD.format(library_cosine=math.floor(lowest * 1e5) / 1e5)]
    for name, result in results.items():
        by_float32, by_bfloat16 = (
            result[dtype] / result["library"] for dtype in ("float32", "bfloat16")
        )
        met = "met" if by_bfloat16 >= GOALS[name] else "not met"
        agreement = f"{result['cosine_of_bfloat16']:.5f}"
        if name == "audiobox_aesthetics":
            agreement += f", {result['largest_difference']:.4f} points"
        lines.append(
            f"| {name} | {result['repeats']} | {result['library']:.2f} | "
            f"{result['float32']:.2f} | {result['bfloat16']:.2f} | "
            f"{by_float32:.2f} | {by_bfloat16:.2f} | {GOALS[name]:g}×: {met} | {agreement} | "
            f"{result['peak_megabytes']:,.0f} MB |\n"
        )
    if gain is None:
        return "".join(lines)
    verdict = _WITHOUT_GAIN if gain < min(GOALS.values()) else _WITH_GAIN
    return "".join(lines) + FOOT.format(extensions=_extensions(), gain=gain, verdict=verdict)


def _extensions() -> str:
    """Return the processor's instruction sets for bfloat16."""
    cpuinfo = Path("/proc/cpuinfo")
    flags = set(cpuinfo.read_text().split()) if cpuinfo.exists() else set()
    names = ("avx512_bf16", "amx_bf16")
    return ", ".join(f"{'with' if name in flags else 'without'} {name}" for name in names)
