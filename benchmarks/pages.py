"""What each page of the dashboard asks of the database, on a large library with a long history."""

from collections.abc import Callable

from benchmarks.large_library import seconds, throw_away_server
from benchmarks.page_rows import ENCODERS, REFERENCES, RUNS, TARGETS, fill
from mirpipe.db import reports
from mirpipe.db.reports import history, maps, question, retrieval, search

Read = Callable[[], object]
TIMES = 3


def pages() -> dict[str, dict[str, Read]]:
    """The reads of each page, by the name of what they read."""
    target = reports.targets()[0].track_id
    answered = [one.reference_id for one in reports.answers(target, k=10)]
    tracks = [target, *dict.fromkeys(answered)]
    rankings: dict[str, Read] = {
        name: getattr(reports, name)
        for name in ("rankings", "hubness", "hubs", "agreements", "csls_agreements")
        if hasattr(reports, name)
    }
    return {
        "overview": {
            "runs": reports.runs,
            "library": reports.library,
            "pending": reports.pending,
            "failure counts": reports.failure_counts,
            "unavailable": reports.unavailable,
            "moments": history.moments,
            "encoders": reports.encoders,
            "changes": lambda: reports.changes(RUNS),
        },
        "retrieval": {
            "latest run": reports.latest_run,
            "summary": reports.summary,
            "comparisons": retrieval.comparisons,
            "depths": retrieval.depths,
            "targets": reports.targets,
            "first answers": retrieval.target_answers,
        },
        "generation": {
            "summary": reports.generation_summary,
            "deltas": reports.generation_deltas,
            "target scores": reports.target_scores,
            "captions": reports.captions,
        },
        "listen": {
            "targets": reports.targets,
            "answers": lambda: reports.answers(target, k=10),
            "files": lambda: reports.live_files(tracks),
            "aesthetics": lambda: reports.aesthetics(tracks),
            "pictures": lambda: reports.pictures(tracks),
            "generations": lambda: reports.generations(target),
            "scores of clips": lambda: reports.generation_scores(target),
        },
        "search": {"spaces": search.spaces, "files": lambda: reports.live_files(tracks)},
        "map": {"maps": maps.maps, "points": lambda: maps.points("encoder0")},
        "history": {
            "moments": history.moments,
            "retrieval": history.retrieval,
            "generation": history.generation,
            "moved": lambda: history.moved(1, RUNS),
        },
        "hubs": rankings,
        "sql": {"v_retrieval": lambda: question.ask("SELECT * FROM v_retrieval")},
        "failures": {"failures": reports.failures},
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
