"""`mirpipe embed`: vectors for every track, or caption, that lacks one."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from mirpipe import registry
from mirpipe.cli import other_interpreter
from mirpipe.cli.command_arguments import track_ids
from mirpipe.cli.progress_bar import bar
from mirpipe.cli.unavailable_plugins import say_unavailable
from mirpipe.models import interpreters
from mirpipe.settings import settings


def embed(
    encoder: Annotated[
        list[str] | None, typer.Option(help="Encoder to run; repeat for several. Default: all.")
    ] = None,
    manifest: Annotated[
        Path | None, typer.Option(help="JSON list of track ids: embed no others.")
    ] = None,
    captions: Annotated[
        bool,
        typer.Option("--captions", help="Embed captions' words in place of tracks, by CLAP."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print counts as JSON.")] = False,
) -> None:
    """Embed every track that has no vector of the wanted encoders yet.

    A batch is one transaction: kill it and run it again, and only the last batch is redone. A track
    is decoded once for all encoders of an interpreter. An encoder that cannot run on this machine
    is named with the remedy, and the others go on.
    """
    from mirpipe.models.runnable_plugins import available

    if captions:
        _say(_embed_captions(), as_json)
    asked = track_ids(manifest)
    wanted = encoder or settings().encoders
    usable = available(registry.ENCODERS, wanted, stage="embed").usable
    together: dict[Path, list[str]] = {}
    for name, python in usable.items():
        together.setdefault(python, []).append(name)
    counts: Counter[str] = Counter(embedded=0, rejected=0, failed=0)
    for python, names in together.items():
        counts.update(_embed(python, names, manifest, asked))
    _say(counts, as_json, is_left=usable.keys() != set(wanted))


def _say(counts: Mapping[str, int], as_json: bool, *, is_left: bool = False) -> NoReturn:
    print(
        json.dumps(counts)
        if as_json
        else "embedded {embedded}, rejected {rejected}, failed {failed}".format(**counts)
    )
    say_unavailable()
    raise typer.Exit(1 if counts["failed"] or is_left else 3 if counts["rejected"] else 0)


def _embed_captions() -> dict[str, int]:
    from mirpipe.stages import embed as stage

    name = stage.plan_captions()
    if name is None:
        return asdict(stage.EmbedResult())
    python = registry.ENCODERS.interpreter(name)
    if python != interpreters.HERE:
        return other_interpreter.counts(python, ["embed", "--captions"])
    with bar(f"embed captions, {name}") as progress:
        return asdict(stage.embed_captions(progress=progress))


def _embed(
    python: Path, names: list[str], manifest: Path | None, asked: list[int] | None
) -> dict[str, int]:
    from mirpipe.stages import embed as stage

    if python != interpreters.HERE:
        named = [argument for name in names for argument in ("--encoder", name)]
        only = [] if manifest is None else ["--manifest", str(manifest)]
        return other_interpreter.counts(python, ["embed", *named, *only])
    with bar(f"embed {', '.join(names)}") as progress:
        return asdict(
            stage.embed(names, asked, batch_tracks=settings().batch_tracks, progress=progress)
        )
