"""`mirpipe score`: what the wanted models say of every track that they have not scored."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from mirpipe import registry
from mirpipe.cli import other_interpreter
from mirpipe.cli.command_arguments import track_ids
from mirpipe.cli.progress_bar import bar
from mirpipe.cli.unavailable_plugins import say_unavailable
from mirpipe.errors import StageFailed
from mirpipe.models import interpreters
from mirpipe.settings import settings


def score(
    metric: Annotated[
        list[str] | None, typer.Option(help="Model to run; repeat for several. Default: all.")
    ] = None,
    manifest: Annotated[
        Path | None, typer.Option(help="JSON list of track ids: score no others.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print counts as JSON.")] = False,
) -> None:
    """Score every track by the models that MIRPIPE_METRICS names, such as audiobox_aesthetics.

    A batch is one transaction: kill it and run it again, and only the last batch is redone. A
    model that cannot run on this machine is named with the remedy, and the others go on.
    """
    from mirpipe.models.runnable_plugins import available

    asked = track_ids(manifest)
    wanted = metric or settings().metrics
    counts = {"scored": 0, "undefined": 0, "rejected": 0, "failed": 0}
    done = set()
    for name, python in available(registry.TRACK_METRICS, wanted, stage="score").usable.items():
        try:
            result = _score(name, python, manifest, asked)
        except StageFailed as error:  # the other models do not have to wait for this one
            typer.echo(f"mirpipe: {error}", err=True)
        else:
            done.add(name)
            counts = {key: counts[key] + value for key, value in result.items()}
    print(
        json.dumps(counts)
        if as_json
        else ", ".join(f"{name} {value}" for name, value in counts.items())
    )
    say_unavailable()
    is_failed = counts["failed"] or done != set(wanted)
    raise typer.Exit(1 if is_failed else 3 if counts["rejected"] else 0)


def _score(
    name: str, python: Path, manifest: Path | None, asked: list[int] | None
) -> dict[str, int]:
    from mirpipe.stages import score as stage

    if python != interpreters.HERE:
        only = [] if manifest is None else ["--manifest", str(manifest)]
        return other_interpreter.counts(python, ["score", "--metric", name, *only])
    with bar(f"score {name}") as progress:
        return asdict(
            stage.score(name, asked, batch_tracks=settings().batch_tracks, progress=progress)
        )
