"""`mirpipe retrieve`: finds the nearest references of each target."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from mirpipe.cli.command_arguments import AsJson
from mirpipe.cli.progress_bar import progress_bar


def retrieve(
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Delete the lists and compute them again.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Find the nearest references of each target.

    Updates the lists of all encoders with the tracks that were added, changed or removed since the
    last run. The search is exact. Tracks without a vector are skipped: run `mirpipe embed` first.
    """
    from mirpipe.stages import retrieve as stage

    with progress_bar("retrieve") as progress:
        results = [asdict(result) for result in stage.retrieve(rebuild=rebuild, progress=progress)]
    if as_json:
        print(json.dumps({"encoders": results}))
        return
    for result in results:
        print(", ".join(f"{name} {value}" for name, value in result.items()))
