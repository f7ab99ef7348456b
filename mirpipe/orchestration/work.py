"""What the tasks of the DAGs do: plan from the database, run stages, put crashes in the ledger."""

from collections.abc import Sequence
from typing import Any

from mirpipe.orchestration.batches import GiveUp, run_batch
from mirpipe.orchestration.commands import Counts, Outcome, run
from mirpipe.settings import settings

EMPTY = "0"
"""Fingerprint of a library without tracks."""
MOST_TASKS = 24
"""Of one encoder and run: a task costs half a second, and a DAG of thousands is no help."""


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
    from mirpipe.db import reports

    return bool(plan_embed() or plan_melody() or plan_scores() or reports.pending())


def plan_embed() -> list[dict[str, Any]]:
    """Arguments of the tasks that embed what is missing, encoder by encoder.

    An encoder that cannot be planned for gets one task without tracks, which fails and says why.
    """
    from mirpipe.stages import embed

    known = [encoder for encoder in settings().encoders if _is_usable(encoder)]
    batches = embed.plan(known, batch_tracks=settings().batch_tracks)
    tasks: list[dict[str, Any]] = []
    for encoder in settings().encoders:
        ids = [batch.track_ids for batch in batches if batch.encoder == encoder]
        lists = gathered(ids) if encoder in known else [[]]
        tasks += [{"encoder": encoder, "track_ids": one} for one in lists]
    return tasks


def _is_usable(encoder: str) -> bool:
    from mirpipe import registry

    try:
        registry.ENCODERS.spec(encoder)
    except Exception:  # noqa: BLE001 - a broken plug-in may raise anything; its task will, too
        return False
    return True


def plan_melody() -> list[list[int]]:
    """Track ids of the tasks that measure the melodies that are missing."""
    from mirpipe.stages import evaluate

    return gathered(evaluate.plan_tracks(batch_tracks=settings().batch_tracks))


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


def embed(encoder: str, track_ids: Sequence[int]) -> Counts:
    """Embeds these tracks, in a process of the interpreter that has the encoder's libraries."""
    from mirpipe import registry

    revision = registry.revision(registry.ENCODERS.spec(encoder))
    return run_batch(
        ["embed", "--encoder", encoder],
        track_ids,
        give_up=_into_ledger("embed", revision),
        python=registry.ENCODERS.interpreter(encoder),
    )


def score(metric: str, track_ids: Sequence[int]) -> Counts:
    """Scores these tracks, in a process of the interpreter that has the model's libraries."""
    from mirpipe import registry

    python = registry.TRACK_METRICS.interpreter(metric)
    revision = registry.revision(registry.TRACK_METRICS.spec(metric))
    arguments = ["score", "--metric", metric]
    give_up = _into_ledger("score", revision)
    return run_batch(arguments, track_ids, give_up=give_up, python=python)


def melody(track_ids: Sequence[int]) -> Counts:
    """Measures the melody of these tracks."""
    from mirpipe import registry
    from mirpipe.metrics import melody as metric

    revision = registry.metric_revision(metric.MELODY)
    arguments = ["evaluate", "--only", "tracks"]
    return run_batch(arguments, track_ids, give_up=_into_ledger("melody", revision))


def _into_ledger(stage: str, revision: str) -> GiveUp:
    def record(track_id: int, outcome: Outcome) -> None:
        from mirpipe.db.engine import engine
        from mirpipe.db.store import failures, tracks

        with engine("app").begin() as connection:
            found = tracks.tracks(connection, [track_id])
            if not found:
                return  # gone since: nothing is pending for it
            track = found[0]
            failures.record(
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
