"""`mirpipe embed`: vectors for every track that lacks one."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from mirpipe.cli.progress import bar
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

    track_ids = None if manifest is None else json.loads(manifest.read_text())
    counts = {"embedded": 0, "rejected": 0, "failed": 0}
    for name in encoder or settings().encoders:
        with bar(f"embed {name}") as progress:
            result = stage.embed(
                name, track_ids, batch_tracks=settings().batch_tracks, progress=progress
            )
        counts = {key: counts[key] + value for key, value in asdict(result).items()}
    print(
        json.dumps(counts)
        if as_json
        else "embedded {embedded}, rejected {rejected}, failed {failed}".format(**counts)
    )
    raise typer.Exit(1 if counts["failed"] else 3 if counts["rejected"] else 0)
