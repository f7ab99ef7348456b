"""Measures the database queries of each dashboard page, in a large library with a long history."""

from collections.abc import Callable

from benchmarks.large_library import measure_seconds, temporary_server
from benchmarks.page_rows import LibrarySize, insert_rows
from mirpipe.db import queries
from mirpipe.db.queries import user_sql, vector_search

Query = Callable[[], object]
REPEATS = 3
"""Number of times that each query is measured. The best time is reported."""


def queries_by_page(run_id: int, encoder: str) -> dict[str, dict[str, Query]]:
    """Return each page's queries, by query name, for this latest run and this encoder."""
    target = queries.targets()[0].track_id
    matches = [match.reference_id for match in queries.matches(target, k=10)]
    past_ids = [run.run_id for run in queries.past_runs()]
    tracks = [target, *dict.fromkeys(matches)]
    return {
        "overview": {
            "runs": queries.last_runs,
            "library": queries.library_counts,
            "pending": queries.pending_work,
            "failure counts": queries.failure_counts,
            "unavailable": queries.unavailable_plugins,
            "past runs": queries.past_runs,
            "encoders": queries.encoder_revisions,
            "changes": lambda: queries.best_match_changes(run_id),
        },
        "retrieval": {
            "latest run": queries.latest_run,
            "summary": queries.retrieval_summaries,
            "comparisons": queries.encoder_comparisons,
            "similarity by rank": queries.similarity_by_rank,
            "targets": queries.targets,
            "best matches": queries.best_match_scores,
            "same recordings": queries.same_recordings,
        },
        "generation": {
            "summary": queries.generation_summaries,
            "comparisons": queries.mode_comparisons,
            "target scores": queries.target_scores,
            "captions": queries.captions,
        },
        "listen": {
            "targets": queries.targets,
            "matches": lambda: queries.matches(target, k=10),
            "files": lambda: queries.file_locations(tracks),
            "aesthetics": lambda: queries.aesthetics(tracks),
            "waveforms": lambda: queries.pictures(tracks),
            "clips": lambda: queries.clips_of_target(target),
            "clip scores": lambda: queries.clip_scores(target),
        },
        "search": {
            "encoders": vector_search.searchable_revisions,
            "files": lambda: queries.file_locations(tracks),
        },
        "map": {
            "maps": queries.maps,
            "points": lambda: queries.map_points(encoder),
        },
        "history": {
            "past runs": queries.past_runs,
            "retrieval": lambda: queries.past_retrieval_summaries(past_ids),
            "generation": lambda: queries.past_generation_summaries(past_ids),
            "changed matches": lambda: queries.best_match_differences(1, run_id),
        },
        "hubs": {
            "hubness": queries.hubness,
            "hubs": queries.hubs,
            "encoder agreements": queries.encoder_agreements,
            "CSLS checks": queries.csls_checks,
            "label rankings": queries.label_rankings,
            "filtered rankings": queries.filtered_label_rankings,
        },
        "sql": {"v_retrieval": lambda: user_sql.run_query("SELECT * FROM v_retrieval")},
        "failures": {"failures": queries.failures},
    }


def run() -> list[tuple[str, float, str]]:
    """Return name, value and unit of each measurement. This takes some minutes."""
    library = LibrarySize()
    size = (
        f"{library.references:,} tracks × {library.encoders} encoders × {library.targets:,} "
        f"targets, {library.runs} runs"
    )
    with temporary_server():
        insert_rows(library)
        seconds_by_page = {
            page: {
                name: min(measure_seconds(query) for _ in range(REPEATS))
                for name, query in page_queries.items()
            }
            for page, page_queries in queries_by_page(library.runs, "encoder0").items()
        }
    results = []
    for page, seconds in seconds_by_page.items():
        slowest = max(seconds, key=seconds.__getitem__, default="none")
        name = f"page {page}, all queries; slowest: {slowest}, {seconds.get(slowest, 0):.2f} s"
        results.append((f"{name}; {size}", sum(seconds.values()), "s"))
    return results
