"""`mirpipe evaluate`: a melody for every track, a melody accuracy for every answer."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import typer

from mirpipe.cli.given import track_ids
from mirpipe.cli.progress import bar
from mirpipe.settings import settings


def evaluate(
    only: Annotated[
        Literal["tracks", "pairs"] | None,
        typer.Option(help="tracks: melodies alone; pairs: comparing them alone. Default: both."),
    ] = None,
    manifest: Annotated[
        Path | None, typer.Option(help="JSON list of track ids: transcribe no others.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print counts as JSON.")] = False,
) -> None:
    """Transcribe tracks that have no melody yet and compare those of every answer.

    Audio is decoded once a track; pairs are compared from what is stored. A batch is one
    transaction: kill it and run it again, and only the last batch is redone. Without a number but
    with its reason stays what has none, such as a track of more than 20 minutes.

    Exit codes: 0 all done; 1 something failed and is tried again next time; 3 some files are
    unusable (`mirpipe failures`).
    """
    from mirpipe.stages import evaluate as stage

    results: dict[str, stage.EvaluateResult] = {}
    if only != "pairs":
        asked = track_ids(manifest)
        with bar("evaluate tracks") as progress:
            results["tracks"] = stage.evaluate_tracks(
                asked, batch_tracks=settings().batch_tracks, progress=progress
            )
    if only != "tracks":
        with bar("evaluate pairs") as progress:
            results["pairs"] = stage.evaluate_pairs(progress=progress)
    if as_json:
        print(
            json.dumps(
                {f"{kind}_{k}": v for kind, r in results.items() for k, v in asdict(r).items()}
            )
        )
    else:
        for kind, result in results.items():
            print(f"{kind}: " + ", ".join(f"{k} {v}" for k, v in asdict(result).items()))
    failed = any(result.failed for result in results.values())
    rejected = any(result.rejected for result in results.values())
    raise typer.Exit(1 if failed else 3 if rejected else 0)
