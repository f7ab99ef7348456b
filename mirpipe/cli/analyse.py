"""`mirpipe analyse`: what every track is measured for, once."""

from dataclasses import asdict

import typer

from mirpipe.cli.caption import Manifest, Target, exit_code, say_counts
from mirpipe.cli.command_arguments import AsJson, target_ids
from mirpipe.cli.progress_bar import bar
from mirpipe.settings import settings


def analyse(target: Target = None, manifest: Manifest = None, as_json: AsJson = False) -> None:
    """Measure melody, notes, tempo, beats, meter and key of every track, from one decoding.

    Pairs are compared by these, captions with them, and generation is conditioned on them. What
    cannot be measured has its reason in the tables melody and track_feature.

    Exit codes: 0 all done; 1 something failed and is tried again next time; 3 some files are
    unusable (`mirpipe failures`).
    """
    from mirpipe.stages import analyse as stage

    asked = target_ids(target, manifest)
    with bar("analyse") as progress:
        done = stage.analyse(asked, batch_tracks=settings().batch_tracks, progress=progress)
    counts = asdict(done)
    say_counts(counts, as_json)
    raise typer.Exit(exit_code(counts))
