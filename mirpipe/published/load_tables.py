"""Loads the published tables: all or nothing, and nothing where all is there already."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from mirpipe.db.advisory_locks import exclusive
from mirpipe.db.engine import engine
from mirpipe.db.store import published_tables
from mirpipe.published.claim_numbers import Facts
from mirpipe.published.intervals_and_tests import comparison_rows, interval_rows
from mirpipe.published.printed_lines import FOLDER, ClaimLine, read


def load(folder: Path = FOLDER) -> dict[str, int]:
    """Makes the database hold a folder's tables; rows that had to be written or removed, by table.

    Intervals, tests and the numbers of claims are worked out in the same transaction. Raises
    RejectedInput, with file, line and reason, and then changes nothing.
    """
    tables = read(folder)
    with exclusive("published"), engine("app").begin() as connection:
        changed = {
            "published_retrieval": _put(connection, "published_retrieval", tables.retrieval),
            "published_generation": _put(connection, "published_generation", tables.generation),
            "published_summary": _put(connection, "published_summary", tables.summary),
            "published_change": _put(connection, "published_change", tables.changes),
        }
        scores = published_tables.scores(connection)
        changed["published_interval"] = published_tables.replace(
            connection, "published_interval", interval_rows(scores)
        )
        changed["published_comparison"] = published_tables.replace(
            connection, "published_comparison", comparison_rows(scores)
        )
        facts = Facts(
            scores,
            published_tables.means(connection),
            published_tables.differences(connection),
            tables.retrieval,
        )
        claims = [_filled(one, facts) for one in tables.claims]
        changed["published_claim"] = _put(connection, "published_claim", claims)
    return changed


def _filled(claim: ClaimLine, facts: Facts) -> ClaimLine:
    where = f"claims.csv, line {claim.line}"
    remark = claim.remark and facts.fill(claim.remark, where=where)
    return replace(claim, numbers=facts.fill(claim.numbers, where=where), remark=remark)


def _put(connection: Connection, table: published_tables.Table, lines: Sequence[Any]) -> int:
    return published_tables.replace(connection, table, [asdict(line) for line in lines])
