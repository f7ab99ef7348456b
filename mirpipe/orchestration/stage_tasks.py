"""Bodies of the tasks that run a stage on certain tracks in a subprocess.

Each function runs its stage with the interpreter that has the model's libraries, and returns the
stage's counts. It raises StageFailed or StageCrashed if the stage did not finish.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mirpipe.errors import ConfigurationError, StageCrashed, StageFailed
from mirpipe.orchestration.crash_isolation import run_batch
from mirpipe.orchestration.crash_ledger import crash_recorder
from mirpipe.orchestration.stage_subprocess import Counts, require_success, run_stage, try_stage


def ingest(
    collection: str, folders: Sequence[str], *, manifest: str | None, allow_removal: bool
) -> Counts:
    """Scan the folders of a collection and update its tracks.

    Raises ConfigurationError if so many files have vanished that their removal must be accepted.
    """
    options = ["--manifest", manifest] if manifest else []
    options += ["--allow-removal"] if allow_removal else []
    arguments = ["ingest", "--collection", collection, *options, "--", *folders]
    outcome = try_stage(arguments)
    if outcome.counts.get("withheld"):
        raise ConfigurationError(
            f"{outcome.counts['withheld']} {collection} files have vanished. No track was marked "
            "as removed. The log above names the folders. Mount their disks. If the files are "
            "deleted for good, trigger ingest_library with allow_removal."
        )
    require_success(arguments, outcome)
    return outcome.counts


def embed(encoders: Sequence[str], track_ids: Sequence[int]) -> Counts:
    """Embed the tracks with all these encoders in one process.

    If that process crashes, each encoder runs again in a separate process, so that the crash is
    recorded in the failure ledger only for the encoder that causes it.
    """
    from mirpipe import registry

    python = registry.ENCODERS.interpreter(encoders[0])
    if len(encoders) > 1:
        arguments = ["embed", *(f"--encoder={encoder}" for encoder in encoders)]
        outcome = try_stage(arguments, track_ids=track_ids, python=python)
        if not outcome.crashed:
            require_success(arguments, outcome)
            return outcome.counts
    errors: list[StageCrashed | StageFailed] = []
    counts: Counter[str] = Counter()
    for encoder in encoders:
        try:
            counts.update(_embed_by_one(encoder, track_ids, python))
        except (StageCrashed, StageFailed) as error:
            errors.append(error)
    # If both errors occurred, StageFailed is raised, because Airflow retries the task only after
    # StageFailed.
    for first in sorted(errors, key=lambda failure: isinstance(failure, StageCrashed)):
        raise first
    return dict(counts)


def _embed_by_one(encoder: str, track_ids: Sequence[int], python: Path) -> Counts:
    from mirpipe import registry

    revision = registry.revision(registry.ENCODERS.spec(encoder))
    return run_batch(
        ["embed", "--encoder", encoder],
        track_ids,
        record_crash=crash_recorder("embed", revision),
        python=python,
    )


def score(metric: str, track_ids: Sequence[int]) -> Counts:
    """Score the tracks with one track metric."""
    from mirpipe import registry

    python = registry.TRACK_METRICS.interpreter(metric)
    revision = registry.revision(registry.TRACK_METRICS.spec(metric))
    return run_batch(
        ["score", "--metric", metric],
        track_ids,
        record_crash=crash_recorder("score", revision),
        python=python,
    )


def analyse(track_ids: Sequence[int]) -> Counts:
    """Measure the melody and features of these tracks."""
    from mirpipe import registry
    from mirpipe.music import features

    revision = registry.metric_revision(features.SPEC)
    return run_batch(["analyse"], track_ids, record_crash=crash_recorder("analyse", revision))


def report(dag_run_id: str) -> Counts:
    """Publish a run if results have changed, and return the counts.

    The count `changed` is also true if an earlier try of this task published the run and was killed
    before Airflow knew. Otherwise, the DAG that waits for new results would not start.
    """
    counts = run_stage("report", "--trigger", dag_run_id)
    return counts | {"changed": counts["changed"] or counts["trigger"] == dag_run_id}


def caption(captioner: str, track_ids: Sequence[int]) -> Counts:
    """Write a caption for each of these targets."""
    from mirpipe import registry

    revision = registry.revision(registry.CAPTIONERS.spec(captioner))
    return run_batch(
        ["caption"],
        track_ids,
        record_crash=crash_recorder("caption", revision),
        python=registry.CAPTIONERS.interpreter(captioner),
    )


def embed_captions(encoder: str) -> Counts:
    """Embed all pending captions with the encoder's text tower."""
    from mirpipe import registry

    arguments = ["embed", "--captions", "--encoder", encoder]
    outcome = try_stage(arguments, python=registry.ENCODERS.interpreter(encoder))
    require_success(arguments, outcome)
    return outcome.counts


def generate(generator: str, track_ids: Sequence[int], params: Mapping[str, Any]) -> Counts:
    """Generate the missing clips of these targets.

    `params` are the DAG's parameters, of which `modes`, `seeds` and `limit` are used.
    """
    from mirpipe import registry

    revision = registry.revision(registry.GENERATORS.spec(generator))
    options = [word for mode in params.get("modes") or () for word in ("--mode", mode)]
    for name in ("seeds", "limit"):
        options += [f"--{name}", str(params[name])] if params.get(name) else []
    return run_batch(
        ["generate", "--no-captions", "--generator", generator, *options],
        track_ids,
        record_crash=crash_recorder("generate", revision),
        python=registry.GENERATORS.interpreter(generator),
    )
