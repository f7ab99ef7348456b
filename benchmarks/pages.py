"""Measures the database queries of each dashboard page, on a large library with a long history."""

from collections.abc import Callable

from benchmarks.large_library import measure_seconds, temporary_server
from benchmarks.page_rows import ENCODERS, REFERENCES, RUNS, TARGETS, insert_rows
from mirpipe.db import queries
from mirpipe.db.queries import (
    embedding_maps,
    encoder_comparison,
    run_history,
    user_sql,
    vector_search,
)

Query = Callable[[], object]
REPEATS = 3
"""Number of times that each query is measured. The best time counts."""


def queries_by_page() -> dict[str, dict[str, Query]]:
    """Return the queries of each page, by their names."""
    target = queries.targets()[0].track_id
    matches = [match.reference_id for match in queries.matches(target, k=10)]
    tracks = [target, *dict.fromkeys(matches)]
    rankings: dict[str, Query] = {
        name: getattr(queries, name)
        for name in ("rankings", "hubness", "hubs", "agreements", "csls_agreements")
        if hasattr(queries, name)
    }
    return {
        "overview": {
            "runs": queries.runs,
            "library": queries.library,
            "pending": queries.pending,
            "failure counts": queries.failure_counts,
            "unavailable": queries.unavailable,
            "moments": run_history.moments,
            "encoders": queries.encoders,
            "changes": lambda: queries.changes(RUNS),
        },
        "retrieval": {
            "latest run": queries.latest_run,
            "summary": queries.summary,
            "comparisons": encoder_comparison.comparisons,
            "depths": encoder_comparison.depths,
            "targets": queries.targets,
            "best matches": encoder_comparison.target_matches,
        },
        "generation": {
            "summary": queries.generation_summary,
            "deltas": queries.generation_deltas,
            "target scores": queries.target_scores,
            "captions": queries.captions,
        },
        "listen": {
            "targets": queries.targets,
            "matches": lambda: queries.matches(target, k=10),
            "files": lambda: queries.live_files(tracks),
            "aesthetics": lambda: queries.aesthetics(tracks),
            "waveforms": lambda: queries.pictures(tracks),
            "generations": lambda: queries.generations(target),
            "scores of clips": lambda: queries.generation_scores(target),
        },
        "search": {"spaces": vector_search.spaces, "files": lambda: queries.live_files(tracks)},
        "map": {"maps": embedding_maps.maps, "points": lambda: embedding_maps.points("encoder0")},
        "history": {
            "moments": run_history.moments,
            "retrieval": run_history.retrieval,
            "generation": run_history.generation,
            "changed matches": lambda: run_history.moved(1, RUNS),
        },
        "hubs": rankings,
        "sql": {"v_retrieval": lambda: user_sql.ask("SELECT * FROM v_retrieval")},
        "failures": {"failures": queries.failures},
    }


def run() -> list[tuple[str, float, str]]:
    """Return name, value and unit of each measurement. This takes some minutes."""
    size = f"{REFERENCES:,} tracks × {ENCODERS} encoders × {TARGETS:,} targets, {RUNS} runs"
    with temporary_server():
        insert_rows()
        seconds_by_page = {
            page: {
                name: min(measure_seconds(query) for _ in range(REPEATS))
                for name, query in page_queries.items()
            }
            for page, page_queries in queries_by_page().items()
        }
    results = []
    for page, seconds in seconds_by_page.items():
        slowest = max(seconds, key=seconds.__getitem__, default="none")
        name = f"page {page}, all queries; slowest: {slowest}, {seconds.get(slowest, 0):.2f} s"
        results.append((f"{name}; {size}", sum(seconds.values()), "s"))
    return results
