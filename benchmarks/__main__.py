"""Runs every benchmark and writes docs/benchmarks.md."""

import os
import platform

from benchmarks import embed, retrieve
from mirpipe.settings import PROJECT, cores

HEAD = """# Benchmarks

Made by `make bench`; do not edit. Ratios within one run can be trusted, absolute figures belong to
the machine: {machine}.

| what | value | unit |
|---|---:|---|
"""


def main() -> None:
    """Measures, prints as it goes, and writes the page."""
    machine = f"{platform.machine()}, {cores()} cores, Python {platform.python_version()}"
    lines = [HEAD.format(machine=machine)]
    for module in (embed, retrieve):
        for name, value, unit in module.run():
            lines.append(f"| {name} | {value:,.3g} | {unit} |\n")
            print(f"{name}: {value:,.3g} {unit}", flush=True)
    (PROJECT / "docs" / "benchmarks.md").write_text("".join(lines))


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
