"""What the tasks of the DAGs do: plan from the database, run stages, put crashes in the ledger."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mirpipe.errors import StageCrashed, StageFailed
from mirpipe.orchestration.crash_isolation import GiveUp, run_batch
from mirpipe.orchestration.stage_subprocess import Counts, Outcome, invoke, require_done, run
from mirpipe.settings import settings

EMPTY = "0"
"""Fingerprint of a library without tracks."""
MOST_TASKS = 24
"""Of the same encoders and a run: a task costs half a second, and a DAG of thousands is no help."""
_OF_GENERATE_MUSIC = {"caption", "embed captions", "generate"}


def ingest(
    collection: str, folders: Sequence[str], *, manifest: str | None, allow_empty: bool
) -> Counts:
    """Brings a collection in line with its folders."""
    options = ["--manifest", manifest] if manifest else []
    options += ["--allow-empty"] if allow_empty else []
    return run("ingest", "--collection", collection, *options, "--", *folders)


def library_fingerprint() -> str:
    """Another one whenever tracks came, went or were labelled anew; `EMPTY` without any."""
    from mirpipe.db.engine import engine
    from mirpipe.db.store import tracks

    with engine("app").connect() as connection:
        return tracks.fingerprint(connection)


def pending() -> bool:
    """Whether anything is missing by the plug-ins as they are configured now."""
    from mirpipe.db import queries

    left = [work for work in queries.pending() if work.stage not in _OF_GENERATE_MUSIC]
    return bool(plan_embed() or plan_analyse() or plan_scores() or left)


def plan_embed() -> list[dict[str, Any]]:
    """Arguments of the tasks that embed what is missing: encoders that lack the same tracks.

    A broken encoder gets one task without tracks, which fails and says why.
    """
    from mirpipe.stages import embed

    chosen = settings()
    batches = embed.plan(chosen.encoders, batch_tracks=chosen.batch_tracks, tasks=chosen.slots)
    together: dict[tuple[str, ...], list[Sequence[int]]] = {}
    for batch in batches:
        together.setdefault(batch.encoders, []).append(batch.track_ids)
    return [
        {"encoders": list(encoders), "track_ids": track_ids}
        for encoders, lists in together.items()
        for track_ids in gathered(lists)
    ]


def plan_analyse() -> list[list[int]]:
    """Track ids of the tasks that measure the tracks that lack a melody or features."""
    from mirpipe.stages import analyse, evaluate

    evaluate.register()
    missing, size = analyse.plan(), settings().batch_tracks
    return gathered([missing[start : start + size] for start in range(0, len(missing), size)])


def plan_scores() -> list[dict[str, Any]]:
    """Arguments of the tasks that score what is missing, model by model.

    A broken model gets one task without tracks, which fails and says why.
    """
    from mirpipe.stages import score as stage

    batches: dict[str, list[tuple[int, ...]]] = {}
    for batch in stage.plan(settings().metrics, batch_tracks=settings().batch_tracks):
        batches.setdefault(batch.metric, []).append(batch.track_ids)
    return [
        {"metric": metric, "track_ids": ids}
        for metric, lists in batches.items()
        for ids in gathered(lists)
    ]


def gathered(batches: Sequence[Sequence[int]], *, most: int = MOST_TASKS) -> list[list[int]]:
    """The ids of the batches in order, in at most `most` lists of whole batches."""
    size = -(-len(batches) // most) or 1
    groups = [batches[start : start + size] for start in range(0, len(batches), size)]
    return [[track_id for batch in group for track_id in batch] for group in groups]


def embed(encoders: Sequence[str], track_ids: Sequence[int]) -> Counts:
    """Embeds these tracks, in a process of the interpreter that has the encoders' libraries.

    Where that process dies, each encoder goes on by itself, so that the ledger blames the one at
    fault alone.
    """
    from mirpipe import registry

    python = registry.ENCODERS.interpreter(encoders[0])
    if len(encoders) > 1:
        arguments = ["embed", *(f"--encoder={encoder}" for encoder in encoders)]
        outcome = invoke(arguments, track_ids=track_ids, python=python)
        if not outcome.crashed:
            require_done(arguments, outcome)
            return outcome.counts
    problems: list[StageCrashed | StageFailed] = []
    counts: Counter[str] = Counter()
    for encoder in encoders:
        try:
            counts.update(_embed_alone(encoder, track_ids, python))
        except (StageCrashed, StageFailed) as problem:
            problems.append(problem)
    for failed in sorted(problems, key=lambda one: isinstance(one, StageCrashed)):
        raise failed  # first what may go better another time
    return dict(counts)


def _embed_alone(encoder: str, track_ids: Sequence[int], python: Path) -> Counts:
    from mirpipe import registry

    revision = registry.revision(registry.ENCODERS.spec(encoder))
    return run_batch(
        ["embed", "--encoder", encoder],
        track_ids,
        give_up=into_ledger("embed", revision),
        python=python,
    )


def score(metric: str, track_ids: Sequence[int]) -> Counts:
    """Scores these tracks, in a process of the interpreter that has the model's libraries."""
    from mirpipe import registry

    python = registry.TRACK_METRICS.interpreter(metric)
    revision = registry.revision(registry.TRACK_METRICS.spec(metric))
    arguments = ["score", "--metric", metric]
    give_up = into_ledger("score", revision)
    return run_batch(arguments, track_ids, give_up=give_up, python=python)


def analyse(track_ids: Sequence[int]) -> Counts:
    """Measures these tracks."""
    from mirpipe import registry
    from mirpipe.music import features

    revision = registry.metric_revision(features.SPEC)
    return run_batch(["analyse"], track_ids, give_up=into_ledger("analyse", revision))


def into_ledger(stage: str, revision: str) -> GiveUp:
    def record(track_id: int, outcome: Outcome) -> None:
        from mirpipe.db.engine import engine
        from mirpipe.db.store import failure_ledger, tracks

        with engine("app").begin() as connection:
            found = tracks.tracks(connection, [track_id])
            if not found:
                return  # gone since: nothing is pending for it
            track = found[0]
            failure_ledger.record(
                connection,
                stage=stage,
                revision=revision,
                subject=track.subject,
                track_id=track_id,
                reason="crashed",
                message=f"the process that worked on it alone {outcome.ending}",
                retry=outcome.transient,
            )

    return record
