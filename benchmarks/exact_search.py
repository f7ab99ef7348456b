"""Measures the exact search in memory beside faiss's, and beside its matrix products alone.

faiss-cpu is not one of the locked packages. Install it with `.venv/bin/uv pip install faiss-cpu`.
"""

import time
from collections.abc import Callable
from importlib.util import find_spec

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.large_library import clustered_vectors
from mirpipe.db.store.binary_copy import BLOCK_ROWS
from mirpipe.db.store.neighbour_lists import MAX_ENTRIES as K
from mirpipe.records import Float32
from mirpipe.statistics.distinct_vectors import Block
from mirpipe.statistics.exact_top_k import top_k

TARGETS, REFERENCES, DIMENSION = 1_000, 100_000, 512
REPEATS = 3
"""Number of measurements, of which the fastest counts."""


def run() -> list[tuple[str, float, str]]:
    """Return name, value and unit of each measurement. This takes half a minute."""
    random = np.random.default_rng(0)
    centres = random.standard_normal((500, DIMENSION))
    targets = clustered_vectors(random, centres, TARGETS)
    references = clustered_vectors(random, centres, REFERENCES)
    places = np.arange(REFERENCES)
    parts = [slice(start, start + BLOCK_ROWS) for start in range(0, REFERENCES, BLOCK_ROWS)]

    def search() -> None:
        top_k(targets, (Block(references[part], places[part]) for part in parts), K)

    def multiply() -> None:
        for part in parts:
            references[part] @ targets.T

    with threadpool_limits(1):
        searched, product = _cpu_seconds(search), _cpu_seconds(multiply)
        size = f"{TARGETS:,} targets × {REFERENCES:,} references × {DIMENSION}"
        rows = [
            (f"exact top {K} in memory, {size}", searched, "CPU-s"),
            ("exact top in memory ÷ its float32 products alone", searched / product, "×"),
        ]
        if find_spec("faiss"):
            rows.append(
                ("exact top in memory ÷ faiss", searched / _faiss(targets, references), "×")
            )
    return rows


def _faiss(targets: Float32, references: Float32) -> float:
    """Return the CPU seconds in which faiss finds the same references."""
    import faiss  # type: ignore[import-not-found, unused-ignore]

    index = faiss.IndexFlatIP(DIMENSION)
    index.add(references)
    # faiss has threads of its own, which the limit of the BLAS libraries does not reach.
    faiss.omp_set_num_threads(1)
    return _cpu_seconds(lambda: index.search(targets, K))


def _cpu_seconds(call: Callable[[], object]) -> float:
    """Return the CPU seconds of the fastest of some calls."""
    seconds = []
    for _ in range(REPEATS):
        started = time.process_time()
        call()
        seconds.append(time.process_time() - started)
    return min(seconds)
