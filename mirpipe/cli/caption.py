"""`mirpipe caption`: words for every target."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from mirpipe import registry
from mirpipe.cli import other_interpreter
from mirpipe.cli.command_arguments import AsJson, forwarded, target_ids
from mirpipe.cli.progress_bar import bar, say_waiting
from mirpipe.cli.unavailable_plugins import say_unavailable
from mirpipe.models import interpreters
from mirpipe.settings import settings

Target = Annotated[
    list[str] | None,
    typer.Option(help="A target's id, its title or a part of it; repeatable. Default: all."),
]
Manifest = Annotated[Path | None, typer.Option(help="JSON list of target ids: no others.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be made; make nothing.")]


def caption(
    target: Target = None,
    manifest: Manifest = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Describe every target in words, by the captioner that MIRPIPE_CAPTIONER names.

    What has not been measured yet is measured first. Where the words contradict a measurement, the
    caption says so in its column contradictions. Kill it and run it again: no caption is made
    twice.
    """
    from mirpipe.models.runnable_plugins import available
    from mirpipe.stages import analyse as measuring
    from mirpipe.stages import caption as stage

    asked = target_ids(target, manifest)
    wanted = list(filter(None, [settings().captioner]))
    usable = available(registry.CAPTIONERS, wanted, stage="caption").usable
    if dry_run:
        missing = {*measuring.plan("target"), *(one for name in usable for one in stage.plan(name))}
        n = len(missing if asked is None else missing & set(asked))
        print(json.dumps({"captions": n}) if as_json else f"would caption {n} targets")
        return
    unmeasured = measuring.plan("target") if asked is None else asked
    with bar("analyse") as progress:
        measured = measuring.analyse(unmeasured, progress=progress)
    counts = {"captioned": 0, "rejected": measured.rejected, "failed": measured.failed}
    for name, python in usable.items():
        if python == interpreters.HERE:
            with bar(f"caption {name}") as progress:
                done = stage.caption(name, asked, progress=progress, waiting=say_waiting)
            found = asdict(done)
        else:
            found = other_interpreter.counts(python, ["caption", *forwarded(target, manifest)])
        counts = {key: counts[key] + found[key] for key in counts}
    say_counts(counts, as_json)
    say_unavailable()
    raise typer.Exit(exit_code(counts, is_left=len(usable) < len(wanted)))


def say_counts(counts: dict[str, int], as_json: bool) -> None:
    """Prints them for people, or as one JSON object."""
    said = ", ".join(f"{name} {value}" for name, value in counts.items())
    print(json.dumps(counts) if as_json else said)


def exit_code(counts: dict[str, int], *, is_left: bool = False) -> int:
    """1 where something failed or was left out, 3 where input was rejected, else 0."""
    if counts["failed"] or is_left:
        return 1
    return 3 if counts["rejected"] else 0
