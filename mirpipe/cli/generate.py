"""`mirpipe generate`: makes every target anew, in the modes that are asked for."""

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
from mirpipe.cli.caption import DryRun, Manifest, Target, caption, exit_code, say_counts
from mirpipe.cli.command_arguments import AsJson, forwarded, target_ids
from mirpipe.cli.progress_bar import bar, say_waiting
from mirpipe.cli.unavailable_plugins import say_unavailable
from mirpipe.models import interpreters
from mirpipe.settings import settings

if TYPE_CHECKING:
    from mirpipe.stages.generate import Asked


def generate(
    generator: Annotated[
        list[str] | None, typer.Option(help="Generator; repeatable. Default: the settings'.")
    ] = None,
    mode: Annotated[
        list[str] | None,
        typer.Option(help="simple, medium, strong, sweep, …; repeatable. Default: all."),
    ] = None,
    target: Target = None,
    seeds: Annotated[
        int | None, typer.Option(min=1, help="Clips a target and mode. Default: the settings'.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=0, help="Make at most this many clips by each generator.")
    ] = None,
    manifest: Manifest = None,
    captions: Annotated[
        bool, typer.Option(help="First measure and caption what has no caption yet.")
    ] = True,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Make every target anew: simple from its caption alone, medium and strong with its melody.

    A clip becomes a track of the collection generated, so that `mirpipe run` embeds and scores it
    like any other. Kill it and run it again: it goes on at the next missing clip. A generator that
    cannot run on this machine is named with the remedy, and the others go on.
    """
    from mirpipe.models.runnable_plugins import available
    from mirpipe.stages.generate import Asked

    wanted = settings().generators if generator is None else generator
    usable = available(registry.GENERATORS, wanted, stage="generate").usable
    asked = Asked(target_ids(target, manifest), mode, seeds, limit)
    if dry_run:
        _say_plan(list(usable), asked, as_json)
        return
    uncaptioned = captions and usable and _caption(target, manifest) == 1
    options = [*forwarded(target, manifest, mode=mode, seeds=seeds, limit=limit), "--no-captions"]
    counts: Counter[str] = Counter(made=0, rejected=0, failed=0)
    for name, python in usable.items():
        if python == interpreters.HERE:
            counts.update(_generate(name, asked))
        else:
            counts.update(
                other_interpreter.counts(python, ["generate", "--generator", name, *options])
            )
    say_counts(dict(counts), as_json)
    say_unavailable()
    is_left = bool(uncaptioned) or len(usable) < len(wanted)
    raise typer.Exit(exit_code(dict(counts), is_left=is_left))


def _generate(name: str, asked: "Asked") -> dict[str, int]:
    from mirpipe.stages import generate as stage

    with bar(f"generate {name}") as progress:
        return asdict(stage.generate(name, asked, progress=progress, waiting=say_waiting))


def _caption(target: list[str] | None, manifest: Path | None) -> int:
    """The exit code of `mirpipe caption`; what it prints goes to stderr."""
    with contextlib.redirect_stdout(sys.stderr):
        try:
            caption(target, manifest)
        except typer.Exit as ended:
            return ended.exit_code
    return 0


def _say_plan(generators: list[str], asked: "Asked", as_json: bool) -> None:
    from mirpipe.stages import generate as stage

    plans = {name: stage.estimate(name, stage.plan(name, asked)) for name in generators}
    if as_json:
        print(json.dumps({name: asdict(plan) for name, plan in plans.items()}))
        return
    for name, plan in plans.items():
        takes = "unknown time: it has made nothing here yet"
        if plan.takes_seconds is not None:
            takes = f"about {timedelta(seconds=round(plan.takes_seconds))}"
        print(f"{name} would make {plan.clips} clips, {plan.seconds:.0f} s of audio, in {takes}")
        for mode, clips in plan.modes.items():
            print(f"  {mode}: {clips}")
    print("targets without a caption are not counted: `mirpipe caption` makes them")
