"""Measures everything and writes docs/benchmarks.md, or measures what is named and keeps it.

`--missing` measures what was not kept yet, and then writes the page: so a run that was cut off goes
on, and parts can be measured one by one.
"""

import argparse
import platform
import sys
from collections.abc import Mapping
from pathlib import Path

from benchmarks.model_table import section
from benchmarks.parts import MODELS, PIPELINE, Outcome, figures, kept, measure
from mirpipe.settings import PROJECT, cores

HEAD = """# Benchmarks

Made by `make bench`; do not edit. Ratios within one run can be trusted, absolute figures belong to
the machine: {machine}.

## The pipeline

The offline encoders on the demo library, a long file, and what a large library costs on a database
server of its own. Seconds of the processor (CPU-s) for encoders, of the clock for the database.

| what | value | unit |
|---|---:|---|
"""


def main() -> int:
    """Exit status: 1 where a part failed; the others are measured all the same."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    known = [*PIPELINE, *MODELS]
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(known))
    parser.add_argument("--missing", action="store_true", help="measure only what is not kept yet")
    asked = parser.parse_args()
    if unknown := set(asked.parts) - set(known):
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    failed = []
    for part in asked.parts or known:
        if asked.missing and kept(part).found:
            continue
        print(f"── {part}", flush=True)
        outcome = measure(part)
        _print(outcome)
        if outcome.complaint:
            failed.append(part)
    if not asked.parts:
        (PROJECT / "docs" / "benchmarks.md").write_text(page({part: kept(part) for part in known}))
    if failed:
        print(f"not measured: {', '.join(failed)}", file=sys.stderr)
    return int(bool(failed))


def page(outcomes: Mapping[str, Outcome]) -> str:
    """The page of what was found; what was not is named."""
    lines = [HEAD.format(machine=_machine())]
    for part in PIPELINE:
        for name, value, unit in outcomes[part].found or []:
            lines.append(f"| {name} | {value:,.3g} | {unit} |\n")
    gain = outcomes["arithmetic"].found
    lines.append("\n" + section(figures(outcomes), gain and gain["bfloat16_to_float32"]))
    took = [f"{part} {one.seconds:.0f}" for part, one in outcomes.items() if one.found]
    lines.append(f"\nThe parts took, in seconds: {', '.join(took)}.\n")
    if missing := [part for part, one in outcomes.items() if not one.found]:
        lines.append(f"\nNot measured here: {', '.join(missing)}.\n")
    return "".join(lines)


def _print(outcome: Outcome) -> None:
    if outcome.complaint:
        print(outcome.complaint, file=sys.stderr)
    elif isinstance(outcome.found, dict):
        print("\n".join(f"{name}: {value:,.3g}" for name, value in outcome.found.items()))
    else:
        print("\n".join(f"{name}: {value:,.3g} {unit}" for name, value, unit in outcome.found))
    print(f"took {outcome.seconds:.0f} s", flush=True)


def _machine() -> str:
    """Make, model and cores of the processor, and Python."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    named = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    processor = named[0] if named else platform.machine()
    return f"{processor}, {cores()} cores, Python {platform.python_version()}"


if __name__ == "__main__":
    sys.exit(main())
