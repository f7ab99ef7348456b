"""Formats the figures of a database with a long history as Markdown tables."""

from collections.abc import Mapping

HEAD = """## A database with a long history

The pipeline runs on a library that grows and shrinks, and a plug-in has a new revision now and
then. Vectors and scores are synthetic, but all rows are written by the functions of the stages, and
`retrieve` and `report` are the real stages. Stages: median of the last ten runs. For the last
column, the runs are spread over one year, and `mirpipe prune --yes` and `VACUUM FULL` are executed.
"""
NOT_MEASURED = "## A database with a long history\n\nNot measured.\n"

_GROUPS = {
    "table_bytes": ("table and its indexes", "MB", 1e6),
    "stage_seconds": ("stage", "ms", 1e-3),
    "page_seconds": ("page, all queries", "ms", 1e-3),
}
"""Heading, unit and size of the unit, by group of figures."""
SMALLEST_BYTES = 1e6
"""Tables that are smaller than this at every point are added up in one row."""


def section(points: Mapping[str, Mapping[str, Mapping[str, float]]] | None) -> str:
    """Return the page section: one table per group of figures, with one column per point."""
    if not points:
        return NOT_MEASURED
    return HEAD + "".join(_table(group, points) for group in _GROUPS)


def _table(group: str, points: Mapping[str, Mapping[str, Mapping[str, float]]]) -> str:
    heading, unit, size = _GROUPS[group]
    columns = [point[group] for point in points.values()]
    rows = {name: [column.get(name, 0.0) for column in columns] for name in columns[-1]}
    if group == "table_bytes":
        rows = _with_small_tables_added_up(rows)
    lines = [
        f"\n| {heading} | {' | '.join(f'{point}, {unit}' for point in points)} |\n",
        f"|---|{'---:|' * len(points)}\n",
    ]
    for name, values in {
        **rows,
        "total": [sum(column) for column in zip(*rows.values(), strict=True)],
    }.items():
        lines.append(f"| {name} | {' | '.join(f'{value / size:,.1f}' for value in values)} |\n")
    return "".join(lines)


def _with_small_tables_added_up(rows: Mapping[str, list[float]]) -> dict[str, list[float]]:
    large = {name: row for name, row in rows.items() if max(row) >= SMALLEST_BYTES}
    small = [row for name, row in rows.items() if name not in large]
    total = [sum(column) for column in zip(*small, strict=True)] if small else []
    return large | ({f"{len(small)} smaller tables": total} if small else {})
