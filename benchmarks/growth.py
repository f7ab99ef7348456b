"""Measures the commands on libraries of four sizes, to see how their cost grows.

The measurement of each size is stored (`million.py`), so an interrupted one continues.
"""

from benchmarks import million

SIZES = (10_000, 30_000, 100_000, 300_000)
"""Numbers of references."""
TARGETS = 1_000


def run() -> dict[str, million.Rows]:
    """Return name, value and unit of each measurement, by number of references.

    This takes half an hour.
    """
    return {str(references): million.measure(references, TARGETS) for references in SIZES}
