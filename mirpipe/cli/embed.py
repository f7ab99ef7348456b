"""`mirpipe embed`: computes the missing vectors of tracks and captions."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from mirpipe import registry
from mirpipe.cli import other_interpreter
from mirpipe.cli.command_arguments import AsJson, TrackManifest, track_ids
from mirpipe.cli.progress_bar import print_waiting, progress_bar
from mirpipe.cli.stage_counts import exit_code, print_counts
from mirpipe.cli.unavailable_plugins import print_unavailable_plugins
from mirpipe.models import interpreters
from mirpipe.settings import settings


def embed(
    encoder: Annotated[
        list[str] | None,
        typer.Option(
            help="Run only this encoder. Repeat for several encoders. Default: all configured ones."
        ),
    ] = None,
    manifest: TrackManifest = None,
    captions: Annotated[
        bool,
        typer.Option(
            "--captions", help="Embed caption texts instead of tracks, for the text scores."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Compute the missing vectors of all tracks.

    MIRPIPE_ENCODERS names the encoders. Each batch is one transaction: if you stop the command,
    only the last batch is lost, and the next run continues from there. If an encoder cannot run on
    this machine, the command prints the reason and a remedy, and runs the others.

    Exit codes:

    \b
        0  all tracks have their vectors
        1  a track failed, or an encoder cannot run on this machine
        3  some files cannot be used; see `mirpipe failures`
    """
    from mirpipe.models.runnable_plugins import check_plugins

    if captions:
        _finish(_embed_captions(encoder), as_json=as_json)
    selected_ids = track_ids(manifest)
    chosen = encoder or settings().encoders
    usable = check_plugins(registry.ENCODERS, chosen, stage="embed").usable
    # Encoders of one interpreter run together, so that each track is decoded only once.
    names_by_python: dict[Path, list[str]] = {}
    for name, python in usable.items():
        names_by_python.setdefault(python, []).append(name)
    counts: Counter[str] = Counter(embedded=0, rejected=0, failed=0)
    for python, names in names_by_python.items():
        counts.update(_embed_tracks(python, names, manifest, selected_ids))
    _finish(counts, as_json=as_json, is_incomplete=usable.keys() != set(chosen))


def _finish(counts: Mapping[str, int], *, as_json: bool, is_incomplete: bool = False) -> NoReturn:
    """Print the counts and the unavailable plug-ins, and exit with the matching exit code."""
    print_counts(counts, as_json=as_json)
    print_unavailable_plugins()
    raise typer.Exit(exit_code(counts, is_incomplete=is_incomplete))


def _embed_captions(chosen: Sequence[str] | None) -> Mapping[str, int]:
    """Embed the pending captions with each of these encoders, or with all if `chosen` is None."""
    from mirpipe.stages import embed as stage

    counts: Counter[str] = Counter(embedded=0, rejected=0, failed=0)
    for name in stage.plan_captions():
        if not chosen or name in chosen:
            counts.update(_embed_captions_with(name))
    return counts


def _embed_captions_with(name: str) -> dict[str, int]:
    from mirpipe.stages import embed as stage

    python = registry.ENCODERS.interpreter(name)
    if python != interpreters.CURRENT_PYTHON:
        arguments = ["embed", "--captions", "--encoder", name]
        return other_interpreter.run_for_counts(python, arguments)
    with progress_bar(f"embed captions, {name}") as progress:
        return asdict(stage.embed_captions(name, progress=progress, on_wait=print_waiting))


def _embed_tracks(
    python: Path, names: list[str], manifest: Path | None, selected_ids: list[int] | None
) -> dict[str, int]:
    """Run these encoders in the interpreter `python`, and return the counts."""
    from mirpipe.stages import embed as stage

    if python != interpreters.CURRENT_PYTHON:
        arguments = [word for name in names for word in ("--encoder", name)]
        arguments += [] if manifest is None else ["--manifest", str(manifest)]
        return other_interpreter.run_for_counts(python, ["embed", *arguments])
    with progress_bar(f"embed {', '.join(names)}") as progress:
        result = stage.embed(
            names,
            selected_ids,
            batch_tracks=settings().batch_tracks,
            progress=progress,
            on_wait=print_waiting,
        )
    return asdict(result)
