"""Reads the plans that Postgres returns for EXPLAIN (FORMAT JSON)."""

from collections.abc import Iterator
from typing import Any


def completely_read(plan: list[dict[str, Any]]) -> set[str]:
    """Return the tables that the plan reads from the first to the last row."""
    return {
        node["Relation Name"] for node in _nodes(plan[0]["Plan"]) if node["Node Type"] == "Seq Scan"
    }


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", []):
        yield from _nodes(child)
