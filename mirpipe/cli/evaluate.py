"""`mirpipe evaluate`: compares each target with its matches and clips, and fingerprints."""

from dataclasses import asdict
from typing import Annotated

import typer

from mirpipe.cli.command_arguments import AsJson
from mirpipe.cli.progress_bar import progress_bar
from mirpipe.cli.stage_counts import print_counts


def evaluate(
    rebuild: Annotated[
        bool,
        typer.Option(
            "--rebuild", help="Delete the pairs with the same recording and find them again."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Compare targets with their matches and clips.

    Compares the fingerprints of new tracks with all others, to find tracks that contain the same
    recording (see `mirpipe duplicates`). Computes melody accuracy (also compared with chance, and
    in the best key), aligned melody and CLAP similarity. The command needs the results of `mirpipe
    analyse` and `mirpipe embed`, and decodes no audio. If a number is undefined, the reason is
    stored instead: for example, a drum loop has no pitch. Each block of pairs is one transaction:
    if you stop the command, only the last block is lost.
    """
    from mirpipe.stages import evaluate as stage

    with progress_bar("evaluate") as progress:
        counts = asdict(stage.evaluate(rebuild=rebuild, progress=progress))
    print_counts(counts, as_json=as_json)
