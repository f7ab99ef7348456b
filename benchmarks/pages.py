"""What each page of the dashboard asks of the database, on a large library with a long history."""

from collections.abc import Callable

from benchmarks.large_library import seconds, throw_away_server
from benchmarks.page_rows import ENCODERS, REFERENCES, RUNS, TARGETS, fill
from mirpipe.db import queries
from mirpipe.db.queries import (
    embedding_maps,
    encoder_comparison,
    run_history,
    user_sql,
    vector_search,
)

Read = Callable[[], object]
TIMES = 3


def pages() -> dict[str, dict[str, Read]]:
    """The reads of each page, by the name of what they read."""
    target = queries.targets()[0].track_id
    answered = [one.reference_id for one in queries.matches(target, k=10)]
    tracks = [target, *dict.fromkeys(answered)]
    rankings: dict[str, Read] = {
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
            "first answers": encoder_comparison.target_matches,
        },
        "generation": {
            "summary": queries.generation_summary,
            "deltas": queries.generation_deltas,
            "target scores": queries.target_scores,
            "captions": queries.captions,
        },
        "listen": {
            "targets": queries.targets,
            "answers": lambda: queries.matches(target, k=10),
            "files": lambda: queries.live_files(tracks),
            "aesthetics": lambda: queries.aesthetics(tracks),
            "pictures": lambda: queries.pictures(tracks),
            "generations": lambda: queries.generations(target),
            "scores of clips": lambda: queries.generation_scores(target),
        },
        "search": {"spaces": vector_search.spaces, "files": lambda: queries.live_files(tracks)},
        "map": {"maps": embedding_maps.maps, "points": lambda: embedding_maps.points("encoder0")},
        "history": {
            "moments": run_history.moments,
            "retrieval": run_history.retrieval,
            "generation": run_history.generation,
            "moved": lambda: run_history.moved(1, RUNS),
        },
        "hubs": rankings,
        "sql": {"v_retrieval": lambda: user_sql.ask("SELECT * FROM v_retrieval")},
        "failures": {"failures": queries.failures},
    }


def run() -> list[tuple[str, float, str]]:
    """Name, value and unit of each measurement; takes minutes, most of them to make the rows."""
    size = f"{REFERENCES:,} tracks × {ENCODERS} encoders × {TARGETS:,} targets, {RUNS} runs"
    with throw_away_server():
        fill()
        found = {
            page: {name: min(seconds(read) for _ in range(TIMES)) for name, read in reads.items()}
            for page, reads in pages().items()
        }
    lines = []
    for page, reads in found.items():
        slowest = max(reads, key=reads.__getitem__, default="nothing")
        name = f"page {page}: all its reads; slowest: {slowest}, {reads.get(slowest, 0):.2f} s"
        lines.append((f"{name}; {size}", sum(reads.values()), "s"))
    return lines
