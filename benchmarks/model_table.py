"""Formats the comparison between the model libraries and mirpipe's adapters as a Markdown table."""

import math
from collections.abc import Mapping
from pathlib import Path

MODELS = ("clap", "clap_630k", "muq", "music2latent", "audiobox_aesthetics")
GOAL_RATIO, GOAL_SHARE = 1.3, 0.6
"""Goal for each model in float32: this many times the speed of the library, or this share of the
processor's peak."""

HEAD = """## Model libraries

The table compares mirpipe's adapters with the model libraries. Each library is called in float32,
as its documentation shows. The library and the adapter use the same random weights in the full
architecture and the same 60 s of synthetic music in windows of ten seconds. They run alternately in
one process with one thread. The speed is the best of `n` rounds, in seconds of audio per CPU
second. MuQ and Music2Latent also receive windows, although they accept input of any length.

`share` is the adapter's floating-point operations per second in matrix products and convolutions,
divided by those of a product of two large matrices in the same process: the share of the
processor's peak. The goal is 1.3 times the speed of the library or 60% of the peak, in float32.

`agreement` is the lowest cosine similarity between a window's bfloat16 vector and its float32
vector, both from the adapter. For Audiobox, `agreement` compares the track's four scores and also
shows their largest difference. The cosine similarity between the float32 adapter and the library is
at least
{library_cosine:.5f}. `peak` is the peak memory of a process that loads the weights and runs two
windows in float32. A contract test checks for every model that a long track takes no more memory
(`tests/plugins/contract/test_offline_process.py`).

| model | n | library | f32 | bf16 | f32 ÷ library | bf16 ÷ library | share | goal | agreement \
| peak |
|---|---:|---:|---:|---:|---:|---:|---:|---|---:|---:|
"""

NOT_MEASURED = """## Model libraries

Not measured. `make models` creates the interpreter that this part needs.
"""

FOOT = """
On this processor ({extensions}), multiplying two matrices (2,048 × 2,048, one thread) takes
{gain:.2f} times as long in float32 as in bfloat16. This ratio is the largest gain from bfloat16 for
a model that spends its time on matrix products. The default is float32.

Nothing in this table was measured on CUDA. The automatic batch size on CUDA was not measured
either.
"""


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
        share = result["float32"] * result["operations"] / result["peak"]
        met = "met" if by_float32 >= GOAL_RATIO or share >= GOAL_SHARE else "not met"
        agreement = f"{result['cosine_of_bfloat16']:.5f}"
        if name == "audiobox_aesthetics":
            agreement += f", {result['largest_difference']:.4f} points"
        lines.append(
            f"| {name} | {result['repeats']} | {result['library']:.2f} | "
            f"{result['float32']:.2f} | {result['bfloat16']:.2f} | "
            f"{by_float32:.2f} | {by_bfloat16:.2f} | {share:.0%} | {met} | {agreement} | "
            f"{result['peak_megabytes']:,.0f} MB |\n"
        )
    if gain is None:
        return "".join(lines)
    return "".join(lines) + FOOT.format(extensions=_extensions(), gain=gain)


def _extensions() -> str:
    """Return the processor's instruction sets for bfloat16."""
    cpuinfo = Path("/proc/cpuinfo")
    flags = set(cpuinfo.read_text().split()) if cpuinfo.exists() else set()
    names = ("avx512_bf16", "amx_bf16")
    return ", ".join(f"{'with' if name in flags else 'without'} {name}" for name in names)
