"""`mirpipe score`: scores tracks with the configured models."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from mirpipe import registry
from mirpipe.cli import other_interpreter
from mirpipe.cli.command_arguments import AsJson, TrackManifest, track_ids
from mirpipe.cli.progress_bar import print_waiting, progress_bar
from mirpipe.cli.stage_counts import exit_code, print_counts
from mirpipe.cli.unavailable_plugins import print_unavailable_plugins
from mirpipe.errors import StageFailed
from mirpipe.models import interpreters
from mirpipe.settings import settings


def score(
    metric: Annotated[
        list[str] | None,
        typer.Option(
            help="Run only this model. Repeat for several models. Default: all configured ones."
        ),
    ] = None,
    manifest: TrackManifest = None,
    as_json: AsJson = False,
) -> None:
    """Score tracks with the configured models.

    MIRPIPE_METRICS names the models, such as audiobox_aesthetics. Tracks that have their scores are
    skipped. Each batch is one transaction: if you stop the command, only the last batch is lost,
    and the next run continues from there. If a model cannot run on this machine, the command prints
    the reason and a remedy, and runs the others.

    Exit codes:

    \b
        0  all tracks have their scores
        1  a track failed, or a model cannot run on this machine
        3  some files cannot be used; see `mirpipe failures`
    """
    from mirpipe.models.runnable_plugins import check_plugins

    selected_ids = track_ids(manifest)
    chosen = metric or settings().metrics
    counts = {"scored": 0, "undefined": 0, "rejected": 0, "failed": 0}
    finished = set()
    usable = check_plugins(registry.TRACK_METRICS, chosen, stage="score").usable
    for name, python in usable.items():
        try:
            model_counts = _score_tracks(name, python, manifest, selected_ids)
        except StageFailed as error:  # The other models can still run.
            typer.echo(f"mirpipe: {error}", err=True)
        else:
            finished.add(name)
            counts = {key: counts[key] + value for key, value in model_counts.items()}
    print_counts(counts, as_json=as_json)
    print_unavailable_plugins()
    raise typer.Exit(exit_code(counts, is_incomplete=finished != set(chosen)))


def _score_tracks(
    name: str, python: Path, manifest: Path | None, selected_ids: list[int] | None
) -> dict[str, int]:
    """Run one model in the interpreter `python`, and return the counts."""
    from mirpipe.stages import score as stage

    if python != interpreters.CURRENT_PYTHON:
        arguments = ["score", "--metric", name]
        arguments += [] if manifest is None else ["--manifest", str(manifest)]
        return other_interpreter.run_for_counts(python, arguments)
    with progress_bar(f"score {name}") as progress:
        result = stage.score(
            name,
            selected_ids,
            batch_tracks=settings().batch_tracks,
            progress=progress,
            on_wait=print_waiting,
        )
    return asdict(result)
