"""`mirpipe retrieve`: nearest references of every target."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from mirpipe.cli.command_arguments import AsJson
from mirpipe.cli.progress_bar import bar


def retrieve(
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Forget the lists and make them all anew.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Bring every target's nearest references up to date, exactly, at the cost of what changed."""
    from mirpipe.stages import retrieve as stage

    with bar("retrieve") as progress:
        results = [asdict(result) for result in stage.retrieve(rebuild=rebuild, progress=progress)]
    if as_json:
        print(json.dumps({"encoders": results}))
        return
    for result in results:
        print(", ".join(f"{key} {value}" for key, value in result.items()))
