"""`mirpipe evaluate`: every number of every answer and clip beside its target."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from mirpipe.cli.progress_bar import bar


def evaluate(
    as_json: Annotated[bool, typer.Option("--json", help="Print counts as JSON.")] = False,
) -> None:
    """Compare every target with its answers and its clips, from what is stored of both.

    Melody accuracy, beside chance and in the best key, aligned melody, CLAP similarity: each is
    made where what it compares is there (`mirpipe analyse`, `mirpipe embed`), and no audio is
    decoded. A block of pairs is one transaction: kill it and run it again, and only the last block
    is redone. What has no number has its reason, such as a drum loop that is unpitched.
    """
    from mirpipe.stages import evaluate as stage

    with bar("evaluate") as progress:
        counts = asdict(stage.evaluate(progress=progress))
    said = ", ".join(f"{name} {value}" for name, value in counts.items())
    print(json.dumps(counts) if as_json else said)
