"""Ranges of paths in byte order, by which the index finds the stored files in folders.

A condition on the start of a path, such as LIKE, could not use the index of a bytea column.
"""

from collections.abc import Iterable

IN_RANGES = (
    "JOIN unnest(CAST(%(lows)s AS bytea[]), CAST(%(highs)s AS bytea[])) AS r (low, high) "
    "ON f.path >= r.low AND f.path < r.high"
)
"""SQL that joins the files `f` in the ranges that `path_ranges` returned."""


def path_ranges(roots: Iterable[bytes]) -> dict[str, list[bytes]]:
    """Return the ranges of the paths at and below `roots`: the first paths, and the ends.

    A range does not include its end. The ranges are disjoint if no root is inside another one.
    """
    lows, highs = [], []
    for root in roots:
        folder = root.rstrip(b"/")
        lows += [root, folder + b"/"]
        highs += [root + b"\0", folder + b"0"]  # In byte order, 0 follows the slash.
    return {"lows": lows, "highs": highs}
