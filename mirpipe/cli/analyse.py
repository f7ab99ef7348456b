"""`mirpipe analyse`: measures the musical features of each track."""

from dataclasses import asdict

import typer

from mirpipe.cli.command_arguments import AsJson, Target, TrackManifest, target_ids
from mirpipe.cli.progress_bar import progress_bar
from mirpipe.cli.stage_counts import exit_code, print_counts
from mirpipe.settings import settings


def analyse(target: Target = None, manifest: TrackManifest = None, as_json: AsJson = False) -> None:
    """Measure melody, tempo, meter, key and notes.

    Every track is decoded once and measured once. Later stages use the stored results to compare
    melodies, write captions and generate music. If a feature cannot be measured, the tables melody
    and track_feature contain the reason.

    Exit codes:

    \b
        0  all tracks are measured
        1  a track failed; the next run tries it again
        3  some files cannot be used; see `mirpipe failures`
    """
    from mirpipe.stages import analyse as stage

    selected_ids = target_ids(target, manifest)
    with progress_bar("analyse") as progress:
        result = stage.analyse(
            selected_ids, batch_tracks=settings().batch_tracks, progress=progress
        )
    counts = asdict(result)
    print_counts(counts, as_json=as_json)
    raise typer.Exit(exit_code(counts))
