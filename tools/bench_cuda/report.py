"""Formats the results of the measurement on a GPU as Markdown."""

from collections.abc import Mapping
from typing import Any

from tools.bench_cuda.parts import Outcome

NOT_WINDOWS = ("musicgen_melody", "qwen2_audio", "decoding")

HEAD = """# Large models on one GPU

{machine}. All weights are random{size}. `docs/how-to/measure-a-gpu.md` in the repository explains
each number.
"""


def markdown(setup: Mapping[str, Any], outcomes: Mapping[str, Outcome]) -> str:
    """Return the page with the results of all parts, and the reasons why parts have none."""
    results = {name: each["result"] for name, each in outcomes.items() if "result" in each}
    memory = f", {setup['card_megabytes']:,} MB" if setup["card_megabytes"] else ""
    machine = (
        f"{setup['card']}{memory}, torch {setup['torch']}, CUDA {setup['cuda']}, Python "
        f"{setup['python']}. TF32 in products: {setup['tf32_in_products']}, in convolutions: "
        f"{setup['tf32_in_convolutions']}"
    )
    size = " and the models are small, so the numbers mean nothing" if setup["is_tiny"] else ""
    sections = [HEAD.format(machine=machine, size=size)]
    windows = {name: each for name, each in results.items() if name not in NOT_WINDOWS}
    if windows:
        sections.append(_windows(windows))
    for name, section in (
        ("musicgen_melody", _generation),
        ("qwen2_audio", _captions),
        ("decoding", _decoding),
    ):
        if name in results:
            sections.append(section(results[name]))
    failed = {name: each["error"] for name, each in outcomes.items() if "error" in each}
    if failed:
        sections.append(
            "## Parts without a result\n\n"
            + "".join(f"- {name}: {' '.join(error.split())}\n" for name, error in failed.items())
        )
    return "\n".join(sections)


def _table(head: list[str], rows: list[list[object]]) -> str:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "".join("| " + " | ".join(map(str, line)) + " |\n" for line in lines)


def _windows(results: Mapping[str, Any]) -> str:
    rows: list[list[object]] = []
    for name, result in results.items():
        halving = result["halving"]
        for dtype in ("float32", "bfloat16"):
            speed = result[dtype]
            default = speed["speed"].get(str(speed["default_batch"]), "–")
            rows.append(
                [
                    f"{name}, {dtype}",
                    speed["speed"]["1"],
                    default,
                    speed["best_speed"],
                    speed["best_batch"],
                    f"{speed['peak_megabytes']:,}",
                    f"{result['agreement']['cosine']:.5f}",
                    f"{halving['from']} → {halving['to']}"
                    + (" (simulated)" if halving["is_simulated"] else ""),
                ]
            )
    head = ["model", "batch 1", "default batch", "best", "best batch", "peak MB", "agreement"]
    return "## Encoders and Audiobox: seconds of audio per second\n\n" + _table(
        [*head, "halved"], rows
    )


def _generation(result: Mapping[str, Any]) -> str:
    batches = list(next(iter(result["bfloat16"]["speed"].values())))
    rows: list[list[object]] = [
        [
            f"{mode}, {dtype}",
            *("does not fit" if each is None else each for each in by_batch.values()),
        ]
        for dtype in ("bfloat16", "float32")
        for mode, by_batch in result[dtype]["speed"].items()
    ]
    lines = [
        f"## MusicGen-Melody: seconds of music per second, clips of {result['clip_seconds']:g} s\n",
        _table(["mode", *(f"batch {batch}" for batch in batches)], rows),
    ]
    for dtype in ("bfloat16", "float32"):
        same = result[dtype]["same_in_batch"]
        peaks = ", ".join(
            f"{peak:,} MB at {n}" for n, peak in result[dtype]["peak_megabytes"].items()
        )
        lines.append(
            f"In {dtype}, {same['same']} of {same['clips']} clips have the same samples alone and "
            f"with others in batches of one size, and {same['as_single']} the same as without "
            f"batches. Peak memory by batch size: {peaks}.\n"
        )
    halving = result["halving"]
    simulated = " (simulated)" if halving["is_simulated"] else ""
    lines.append(
        f"Cosine of the first scores between both number formats: "
        f"{result['agreement']['cosine']:.5f}. A batch of {halving['from']} that does not fit is "
        f"divided into batches of at most {halving['to']}{simulated}.\n"
    )
    return "\n".join(lines)


def _captions(result: Mapping[str, Any]) -> str:
    return (
        "## Qwen2-Audio\n\n"
        f"{result['captions_per_minute']:g} captions per minute, each of "
        f"{result['tokens_per_caption']} tokens for {result['segment_seconds']:g} s of audio. Peak "
        f"memory: {result['peak_megabytes']:,} MB.\n"
    )


def _decoding(result: Mapping[str, Any]) -> str:
    encoders = {name: each for name, each in result.items() if isinstance(each, dict)}
    rows: list[list[object]] = [
        [name, each["audio_seconds_per_second"], f"{100 * each['waiting_share']:.0f}%"]
        for name, each in encoders.items()
    ]
    return (
        f"## Waiting for decoding: {result['tracks']} FLAC tracks of {result['track_seconds']} s, "
        f"{result['cores']} cores, float32\n\n"
        + _table(["encoder", "audio s per s", "time that the model waits"], rows)
    )
