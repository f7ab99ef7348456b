"""`mirpipe generate`: generates new audio for each target, in the configured modes."""

import contextlib
import json
import sys
from collections import Counter
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mirpipe import registry
from mirpipe.cli import other_interpreter
from mirpipe.cli.caption import caption
from mirpipe.cli.command_arguments import (
    AsJson,
    DryRun,
    Target,
    TargetManifest,
    repeat_options,
    target_ids,
)
from mirpipe.cli.missing_audio import print_missing_audio
from mirpipe.cli.progress_bar import print_waiting, progress_bar
from mirpipe.cli.stage_counts import exit_code, print_counts
from mirpipe.cli.unavailable_plugins import print_unavailable_plugins
from mirpipe.models import interpreters
from mirpipe.settings import settings

if TYPE_CHECKING:
    from mirpipe.stages.generate import ClipSelection


def generate(
    generator: Annotated[
        list[str] | None,
        typer.Option(
            help="Run only this generator. Repeat for several generators. Default: all configured "
            "ones."
        ),
    ] = None,
    mode: Annotated[
        list[str] | None,
        typer.Option(
            help="Generate only this mode, such as simple, medium, strong or sweep. Repeat for "
            "several modes. Default: all."
        ),
    ] = None,
    target: Target = None,
    seeds: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Clips per target and mode. Default: the setting MIRPIPE_SEEDS. The results "
            "include only as many clips as the setting requests.",
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=0, help="Generate at most this many clips per generator.")
    ] = None,
    manifest: TargetManifest = None,
    captions: Annotated[
        bool, typer.Option(help="First measure and caption the targets that have no caption.")
    ] = True,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Generate new audio for each target.

    The mode simple uses only the target's caption. The modes medium and strong also use its melody.
    Each clip becomes a track in the collection generated: run `mirpipe run` afterwards to embed and
    score the clips. You can stop the command and run it again: the second run continues with the
    next missing clip. If a generator cannot run on this machine, the command prints the reason and
    a remedy, and runs the others.

    Exit codes:

    \b
        0  all clips exist
        1  a clip failed, or a model cannot run on this machine
        3  some targets cannot be used; see `mirpipe failures`
    """
    from mirpipe.models.runnable_plugins import check_plugins
    from mirpipe.stages.generate import ClipSelection

    chosen = settings().generators if generator is None else generator
    usable = check_plugins(registry.GENERATORS, chosen, stage="generate").usable
    selection = ClipSelection(target_ids(target, manifest), mode, seeds, limit)
    if dry_run:
        _print_plan(list(usable), selection, as_json=as_json)
        return
    have_captions_failed = captions and usable and _caption(target, manifest) == 1
    options = repeat_options(target, manifest, mode=mode, seeds=seeds, limit=limit)
    counts: Counter[str] = Counter(made=0, rejected=0, failed=0)
    for name, python in usable.items():
        if python == interpreters.CURRENT_PYTHON:
            counts.update(_generate_clips(name, selection))
        else:
            arguments = ["generate", "--generator", name, *options, "--no-captions"]
            counts.update(other_interpreter.run_for_counts(python, arguments))
    print_counts(counts, as_json=as_json)
    print_missing_audio("target")
    print_unavailable_plugins()
    is_incomplete = bool(have_captions_failed) or len(usable) < len(chosen)
    raise typer.Exit(exit_code(counts, is_incomplete=is_incomplete))


def _generate_clips(name: str, selection: "ClipSelection") -> dict[str, int]:
    from mirpipe.stages import generate as stage

    with progress_bar(f"generate {name}") as progress:
        return asdict(stage.generate(name, selection, progress=progress, on_wait=print_waiting))


def _caption(target: list[str] | None, manifest: Path | None) -> int:
    """Run `mirpipe caption` with its output on stderr, and return its exit code."""
    with contextlib.redirect_stdout(sys.stderr):
        try:
            caption(target, manifest)
        except typer.Exit as exit_:
            return exit_.exit_code
    return 0


def _print_plan(generators: list[str], selection: "ClipSelection", *, as_json: bool) -> None:
    """Print the number of clips that each generator would generate, and the expected time."""
    from mirpipe.db.queries.sentence_parts import counted
    from mirpipe.stages import generate as stage

    plans = {name: stage.estimate(name, stage.plan(name, selection)) for name in generators}
    if as_json:
        print(json.dumps({name: asdict(plan) for name, plan in plans.items()}))
        return
    for name, plan in plans.items():
        duration = "time unknown, because the generator has not yet been used here"
        if plan.takes_seconds is not None:
            duration = f"in about {timedelta(seconds=round(plan.takes_seconds))}"
        print(
            f"{name} would generate {counted(plan.clips, 'clip')}, {plan.seconds:.0f} s of audio, "
            f"{duration}"
        )
        for mode, clips in plan.modes.items():
            print(f"  {mode}: {clips}")
    print("Targets without a caption are not counted. `mirpipe caption` writes the captions.")
    print_missing_audio("target")
