"""Measures a database with a long history: table sizes, stages and pages, early and late."""

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import median

from sqlalchemy import text

from benchmarks.history_table import section
from benchmarks.large_library import measure_seconds, temporary_server
from benchmarks.pages import REPEATS, queries_by_page
from benchmarks.synthetic_pipeline import ENCODERS, SyntheticPipeline
from mirpipe.db import queries
from mirpipe.db.engine import engine
from mirpipe.operations.prune import prune
from mirpipe.settings import settings

EARLY, RUNS = 50, 5_000
"""Runs after which the database is measured."""
REFERENCES, TARGETS, RUNS_PER_REVISION = 200, 12, 100

PRUNED = "pruned"
"""Name of the figures after `mirpipe prune`."""
RUNS_AFTER_PRUNE = 10
"""Number of runs after `mirpipe prune`, whose times are measured."""

Figures = dict[str, dict[str, float]]
"""Figures by name, in the groups `table_bytes`, `stage_seconds` and `page_seconds`."""

_TIMES = (
    *(("run", "finished_at"), ("track", "changed_at"), ("track_file", "gone_at")),
    *(("encoder", "unwanted_at"), ("metric", "unwanted_at"), ("captioner", "unwanted_at")),
    *(("generator", "unwanted_at"), ("failure", "last_seen")),
)
"""Tables and columns with the times on which retention times are based."""
_STRETCH = """
    UPDATE mirpipe.{table} SET {column} = now() - interval '1 year'
        * (extract(epoch FROM now() - {column}) / (
            SELECT extract(epoch FROM now() - min(first_seen)) FROM mirpipe.track))
    WHERE {column} IS NOT NULL
"""
_SIZES = text("""
    SELECT coalesce(p.relname, c.relname), pg_total_relation_size(c.oid)
    FROM pg_class c
    LEFT JOIN pg_inherits i ON i.inhrelid = c.oid LEFT JOIN pg_class p ON p.oid = i.inhparent
    WHERE c.relkind = 'r' AND c.relnamespace = 'mirpipe'::regnamespace
""")


def run() -> dict[str, Figures]:
    """Return the figures at each measured point of the history. This takes most of an hour."""
    with temporary_server():
        return measure(runs=RUNS, early=EARLY)


def measure(
    *,
    runs: int,
    early: int,
    references: int = REFERENCES,
    targets: int = TARGETS,
    runs_per_revision: int = RUNS_PER_REVISION,
) -> dict[str, Figures]:
    """Return the figures after the run `early`, after the last run, and after `mirpipe prune`.

    The configured database must be empty.
    """
    pipeline = SyntheticPipeline(
        references=references, targets=targets, runs_per_revision=runs_per_revision
    )
    first = _measure_after(pipeline, early)
    last = _measure_after(pipeline, runs - early)
    return {f"run {early:,}": first, f"run {runs:,}": last, PRUNED: _measure_pruned(pipeline)}


def _measure_pruned(pipeline: SyntheticPipeline) -> Figures:
    """Make the history a year long, prune, return the freed space, and return the figures."""
    with engine("owner").begin() as connection:
        for table, column in _TIMES:
            connection.execute(text(_STRETCH.format(table=table, column=column)))
    prune(settings())
    _vacuum("VACUUM FULL ANALYZE")
    return _measure_after(pipeline, RUNS_AFTER_PRUNE)


def _measure_after(pipeline: SyntheticPipeline, runs: int) -> Figures:
    """Run the pipeline this many times, and return the figures. Stages: median of ten runs."""
    latest: list[Mapping[str, float]] = []
    for number in range(runs):
        if number % 100 == 99:
            _vacuum()  # Autovacuum does this once a minute, which is too rarely for this speed.
        latest = [*latest[-9:], pipeline.run_once()]
    return _figures(latest)


def _figures(latest: Sequence[Mapping[str, float]]) -> Figures:
    _vacuum()
    return {
        "table_bytes": _table_bytes(),
        "stage_seconds": {name: median(seconds[name] for seconds in latest) for name in latest[0]},
        "page_seconds": _page_seconds(),
    }


def _table_bytes() -> dict[str, float]:
    """Return the size of each table with its indexes, largest first. Partitions are added up."""
    sizes: Counter[str] = Counter()
    with engine("owner").connect() as connection:
        for name, size in connection.execute(_SIZES):
            sizes[name] += size
    return dict(sizes.most_common())


def _page_seconds() -> dict[str, float]:
    run_id = queries.latest_run().run_id
    return {
        page: sum(
            min(measure_seconds(query) for _ in range(REPEATS)) for query in page_queries.values()
        )
        for page, page_queries in queries_by_page(run_id, ENCODERS[0]).items()
    }


def _vacuum(statement: str = "VACUUM ANALYZE") -> None:
    with engine("owner").connect().execution_options(isolation_level="AUTOCOMMIT") as owner:
        owner.execute(text(statement))


if __name__ == "__main__":
    last_run = int(sys.argv[1])
    with temporary_server():
        print(section(measure(runs=last_run, early=min(EARLY, last_run - 1))))
