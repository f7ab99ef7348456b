"""`mirpipe embed`: vectors for every track that lacks one."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from mirpipe import interpreters, registry
from mirpipe.cli import elsewhere
from mirpipe.cli.given import track_ids
from mirpipe.cli.progress import bar
from mirpipe.cli.unavailable import say_unavailable
from mirpipe.errors import PluginError
from mirpipe.settings import settings


def embed(
    encoder: Annotated[
        list[str] | None, typer.Option(help="Encoder to run; repeat for several. Default: all.")
    ] = None,
    manifest: Annotated[
        Path | None, typer.Option(help="JSON list of track ids: embed no others.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print counts as JSON.")] = False,
) -> None:
    """Embed every track that has no vector of the wanted encoders yet.

    A batch is one transaction: kill it and run it again, and only the last batch is redone. An
    encoder that cannot run on this machine is named with the remedy, and the others go on.
    """
    from mirpipe.stages import embed as stage

    asked = track_ids(manifest)
    wanted = encoder or settings().encoders
    counts = {"embedded": 0, "rejected": 0, "failed": 0}
    done = 0
    for name in stage.available([name for name in wanted if _exists(name)]):
        try:
            result = _embed(name, manifest, asked)
        except PluginError as error:  # the other encoders do not have to wait for this one
            _say(error)
        else:
            done += 1
            counts = {key: counts[key] + value for key, value in result.items()}
    print(
        json.dumps(counts)
        if as_json
        else "embedded {embedded}, rejected {rejected}, failed {failed}".format(**counts)
    )
    say_unavailable()
    is_failed = counts["failed"] or done < len(wanted)
    raise typer.Exit(1 if is_failed else 3 if counts["rejected"] else 0)


def _embed(name: str, manifest: Path | None, asked: list[int] | None) -> dict[str, int]:
    from mirpipe.stages import embed as stage

    python = registry.ENCODERS.interpreter(name)
    if python != interpreters.HERE:
        only = [] if manifest is None else ["--manifest", str(manifest)]
        return elsewhere.counts(python, ["embed", "--encoder", name, *only])
    with bar(f"embed {name}") as progress:
        return asdict(
            stage.embed(name, asked, batch_tracks=settings().batch_tracks, progress=progress)
        )


def _exists(name: str) -> bool:
    try:
        registry.ENCODERS.declared(name)
    except PluginError as error:
        _say(error)
        return False
    return True


def _say(error: PluginError) -> None:
    typer.echo(f"mirpipe: {error}", err=True)
