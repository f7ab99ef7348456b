"""Runs every benchmark and writes docs/benchmarks.md."""

import os
import platform
from pathlib import Path

from benchmarks import embed, pairs, rankings, retrieve, stream, uncertainty
from benchmarks.model_table import table
from mirpipe.settings import PROJECT, cores, settings

HEAD = """# Benchmarks

Made by `make bench`; do not edit. Ratios within one run can be trusted, absolute figures belong to
the machine: {machine}.

## The pipeline

The offline encoders on the demo library, a long file, and neighbour lists on a database server of
their own. Seconds of the processor (CPU-s) for encoders, of the clock for the database.

| what | value | unit |
|---|---:|---|
"""


def main() -> None:
    """Measures, prints as it goes, and writes the page."""
    lines = [HEAD.format(machine=_machine())]
    for module in (embed, stream, retrieve, pairs, uncertainty, rankings):
        for name, value, unit in module.run():
            lines.append(f"| {name} | {value:,.3g} | {unit} |\n")
            print(f"{name}: {value:,.3g} {unit}", flush=True)
    lines.append("\n" + table(settings().models_python))
    (PROJECT / "docs" / "benchmarks.md").write_text("".join(lines))


def _machine() -> str:
    """Make, model and cores of the processor, and Python."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    named = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    processor = named[0] if named else platform.machine()
    return f"{processor}, {cores()} cores, Python {platform.python_version()}"


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
