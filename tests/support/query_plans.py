"""Reads the plans that Postgres returns for EXPLAIN (FORMAT JSON)."""

from collections.abc import Iterator
from typing import Any

Plan = list[dict[str, Any]]


def completely_read(plan: Plan) -> set[str]:
    """Return the tables that the plan reads from the first to the last row."""
    return {node["Relation Name"] for node in _nodes(plan) if node["Node Type"] == "Seq Scan"}


def tables_read(plan: Plan) -> set[str]:
    """Return the tables that were read at all. The plan must come from EXPLAIN ANALYZE."""
    return {
        node["Relation Name"]
        for node in _nodes(plan)
        if "Relation Name" in node and node["Actual Loops"] > 0
    }


def rows_read(plan: Plan, table: str) -> int:
    """Return how many rows of a table were read. The plan must come from EXPLAIN ANALYZE."""
    return sum(
        node["Actual Loops"]
        * (
            node["Actual Rows"]
            + node.get("Rows Removed by Filter", 0)
            + node.get("Rows Removed by Index Recheck", 0)
        )
        for node in _nodes(plan)
        if node.get("Relation Name") == table
    )


def _nodes(plan: Plan) -> Iterator[dict[str, Any]]:
    waiting = [plan[0]["Plan"]]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += node.get("Plans", [])
