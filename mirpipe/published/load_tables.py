"""Load the published tables into the database, all in one transaction."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from mirpipe.db.engine import engine
from mirpipe.db.named_locks import hold_lock
from mirpipe.db.store import published_tables
from mirpipe.published.claim_numbers import ClaimNumbers
from mirpipe.published.intervals_and_tests import comparison_rows, interval_rows
from mirpipe.published.printed_lines import FOLDER, ClaimLine, read


def load(folder: Path = FOLDER) -> dict[str, int]:
    """Make the database tables equal to the files, and return the number of changed rows by table.

    Intervals, tests and the numbers in claims are computed in the same transaction. A second call
    changes no row. Raises RejectedInput with file, line and reason if a file is wrong; the database
    is then unchanged.
    """
    tables = read(folder)
    with hold_lock("published"), engine("app").begin() as connection:
        changed = {
            "published_retrieval": _store(connection, "published_retrieval", tables.retrieval),
            "published_generation": _store(connection, "published_generation", tables.generation),
            "published_summary": _store(connection, "published_summary", tables.summary),
            "published_change": _store(connection, "published_change", tables.changes),
        }
        scores = published_tables.scores(connection)
        changed["published_interval"] = published_tables.replace(
            connection, "published_interval", interval_rows(scores)
        )
        changed["published_comparison"] = published_tables.replace(
            connection, "published_comparison", comparison_rows(scores)
        )
        numbers = ClaimNumbers(
            scores,
            published_tables.means(connection),
            published_tables.differences(connection),
            tables.retrieval,
        )
        claims = [_fill_claim(claim, numbers) for claim in tables.claims]
        changed["published_claim"] = _store(connection, "published_claim", claims)
    return changed


def _fill_claim(claim: ClaimLine, numbers: ClaimNumbers) -> ClaimLine:
    """Return the claim with its placeholders replaced by numbers."""
    where = f"claims.csv, line {claim.line}"
    remark = claim.remark and numbers.fill(claim.remark, where=where)
    return replace(claim, numbers=numbers.fill(claim.numbers, where=where), remark=remark)


def _store(connection: Connection, table: published_tables.Table, lines: Sequence[Any]) -> int:
    return published_tables.replace(connection, table, [asdict(line) for line in lines])
