"""Analyse: measures of every target what its captions and generations rest on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mirpipe import audio, content, features, registry
from mirpipe.db.engine import engine
from mirpipe.db.store import failures, plugins, tracks
from mirpipe.db.store import features as stored
from mirpipe.errors import RejectedInput
from mirpipe.records import Track

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class AnalyseResult:
    """How many targets were measured, cannot be, or failed and will be tried again."""

    measured: int
    rejected: int
    failed: int


def register() -> int:
    """The id of the present revision of the features, made known as the wanted one."""
    with engine("app").begin() as connection:
        revision = registry.metric_revision(features.SPEC)
        return plugins.register_metric(connection, features.SPEC, revision)


def plan() -> list[int]:
    """Ids of the targets that lack features."""
    metric_id = register()
    with engine("app").connect() as connection:
        return stored.pending(connection, metric_id)


def analyse(
    track_ids: Sequence[int] | None = None, *, progress: Progress | None = None
) -> AnalyseResult:
    """Measures what is missing, of `track_ids` where given, with one transaction a target."""
    metric_id = register()
    with engine("app").connect() as connection:
        missing = stored.pending(connection, metric_id, track_ids)
        batch = tracks.tracks(connection, missing)
    counts = {"measured": 0, "rejected": 0, "failed": 0}
    for track in batch:
        outcome = _try_measure(track)
        problem = outcome if isinstance(outcome, Exception) else None
        with engine("app").begin() as connection:
            if not isinstance(outcome, Exception):
                stored.write(connection, metric_id, {track.track_id: outcome})
            failures.settle(
                connection,
                stage="analyse",
                revision=registry.metric_revision(features.SPEC),
                done=[] if problem else [track],
                problems=[(track, problem)] if problem else [],
            )
        is_rejected = isinstance(problem, RejectedInput)
        counts["measured" if problem is None else "rejected" if is_rejected else "failed"] += 1
        if progress:
            progress(sum(counts.values()), len(batch))
    return AnalyseResult(**counts)


def _try_measure(track: Track) -> stored.Row | Exception:
    try:
        content.require_unchanged(track)
        samples = audio.load_mono(
            track.path, features.SAMPLE_RATE, max_seconds=features.LONGEST_SECONDS
        )
        return features.to_row(features.measure(samples))
    except Exception as problem:  # noqa: BLE001 - the edge of the batch: the rest goes on
        return problem
