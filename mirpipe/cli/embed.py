"""`mirpipe embed`: vectors for every track that lacks one."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from mirpipe.cli.given import track_ids
from mirpipe.cli.progress import bar
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

    A batch is one transaction: kill it and run it again, and only the last batch is redone.
    """
    from mirpipe.stages import embed as stage

    asked = track_ids(manifest)
    counts = {"embedded": 0, "rejected": 0, "failed": 0}
    broken = False
    for name in encoder or settings().encoders:
        try:
            with bar(f"embed {name}") as progress:
                result = stage.embed(
                    name, asked, batch_tracks=settings().batch_tracks, progress=progress
                )
        except PluginError as error:  # the other encoders do not have to wait for this one
            typer.echo(f"mirpipe: {error}", err=True)
            broken = True
        else:
            counts = {key: counts[key] + value for key, value in asdict(result).items()}
    print(
        json.dumps(counts)
        if as_json
        else "embedded {embedded}, rejected {rejected}, failed {failed}".format(**counts)
    )
    raise typer.Exit(1 if counts["failed"] or broken else 3 if counts["rejected"] else 0)
