"""Writes the tables of docs/scale.md: how the cost of each command grows with the library."""

from collections.abc import Mapping, Sequence

import numpy as np

TEN_MILLION = 10_000_000
LARGEST_DEVIATION = 0.15
"""Largest relative difference between a measured value and a fixed part plus a part per track. If
it is larger, a power of the number of tracks is fitted."""
CONSTANT_RATIO = 1.1
"""A value that grows less than this from the smallest to the largest library is constant."""
TABLES = {"Time": ("s", "ms", "queries/s"), "Memory and disk": ("MB",)}
"""Units of the measurements in each table. Other measurements are left out."""
LEFT_OUT = "written to the server's log"
BEGIN, END = (
    "<!-- `make bench PARTS=growth` writes these tables. -->\n",
    "<!-- End of tables. -->\n",
)

Rows = Sequence[tuple[str, float, str]]


def with_tables(page: str, result: Mapping[str, Rows]) -> str:
    """Return the text of docs/scale.md with tables of the measured rows instead of its tables."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{tables(result)}\n{END}{after}"


def tables(result: Mapping[str, Rows]) -> str:
    """Return the tables. `result` has the measured rows by number of references."""
    sizes = sorted(int(size) for size in result)
    values: dict[tuple[str, str], list[float]] = {}
    for size in sizes:
        for name, value, unit in result[str(size)]:
            # The names of searches end with the size.
            row = name.removesuffix(f", {size:,} × 512")
            values.setdefault((row, unit), []).append(value)
    columns = [*(f"{size:,}" for size in sizes), "law", f"{TEN_MILLION:,}"]
    lines: list[str] = []
    for title, units in TABLES.items():
        lines += [
            f"{title}:\n\n" if not lines else f"\n{title}:\n\n",
            f"| measurement | {' | '.join(columns)} |\n",
            f"|---|{'---:|' * len(sizes)}---|---:|\n",
        ]
        for (name, unit), measured in values.items():
            if unit in units and LEFT_OUT not in name and len(measured) == len(sizes):
                law, expected = _law(np.array(sizes), np.array(measured))
                cells = [*map(_number, measured), law, _number(expected)]
                lines.append(f"| {name}, {unit} | {' | '.join(cells)} |\n")
    return "".join(lines)


def _law(sizes: np.ndarray, values: np.ndarray) -> tuple[str, float]:
    """Return how the values grow, in words, and the value for ten million."""
    if values.max() <= CONSTANT_RATIO * values.min():
        return "constant", float(values.mean())
    # Relative errors are minimised, so that the small libraries count as much as the large ones.
    matrix = np.stack([np.ones(len(sizes)), sizes / 1e6], axis=1) / values[:, None]
    (fixed, per_million), *_ = np.linalg.lstsq(matrix, np.ones(len(sizes)))
    fitted = fixed + per_million * sizes / 1e6
    if fixed >= 0 and np.abs(fitted / values - 1).max() <= LARGEST_DEVIATION:
        law = f"{_number(fixed)} + {_number(per_million)} per million"
        return law, float(fixed + per_million * TEN_MILLION / 1e6)
    exponent, logarithm = np.polyfit(np.log(sizes), np.log(values), 1)
    return f"grows with n^{exponent:.2f}", float(np.exp(logarithm) * TEN_MILLION**exponent)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
