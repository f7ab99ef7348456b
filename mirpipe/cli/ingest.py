"""`mirpipe ingest`: registers the audio files in folders as tracks."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from mirpipe.cli.command_arguments import AsJson, address_argument
from mirpipe.cli.configured_plugins import register_configured_plugins
from mirpipe.cli.progress_bar import progress_bar
from mirpipe.cli.table_layout import print_table
from mirpipe.cli.terminal_text import wide_console
from mirpipe.files.printable_path import printable_path
from mirpipe.library.folder_scan import AUDIO_SUFFIXES
from mirpipe.library.manifest_matching import ManifestRow
from mirpipe.stages.ingest.lost_shares import FolderLoss


class FolderCollection(StrEnum):
    """A collection whose files the user keeps in folders."""

    REFERENCE = "reference"
    TARGET = "target"


MAX_LISTED_ROWS = 10
"""Maximum number of manifest rows or folders that are listed."""

_COUNT_MEANINGS = {
    "unchanged": "unchanged files, not read again",
    "added": "new tracks",
    "retagged": "files with other tags, but the same audio",
    "moved": "known tracks at a new path",
    "duplicate": "more copies of known tracks",
    "returned": "missing tracks that have a file again",
    "withheld": "vanished files that are not marked as gone",
    "gone": "tracks that no longer have a file",
    "relabelled": "tracks with a new title or new labels",
    "changing": "files that another program is writing; the next run reads them",
    "unmatched": "manifest rows that match no file in these folders",
    "rejected": "files that cannot be used; `mirpipe failures` shows the reasons",
    "failed": "files that could not be read; the next run tries again (see `mirpipe failures`)",
}


def ingest(
    path: Annotated[
        list[str],
        typer.Argument(
            help="Folders or files, also in S3 buckets. Folders are read with all their subfolders."
        ),
    ],
    collection: Annotated[
        FolderCollection,
        typer.Option(
            help="reference: the library that mirpipe searches for matches. target: the tracks for "
            "which it finds matches."
        ),
    ],
    manifest: Annotated[
        Path | None,
        typer.Option(
            help="CSV file with titles and labels. It needs a column path, and may have a column "
            "title and any other columns. Default: MIRPIPE_MANIFEST."
        ),
    ] = None,
    allow_removal: Annotated[
        bool,
        typer.Option(
            "--allow-removal",
            "--allow-empty",
            help="Accept a folder that is missing, or has lost all or many of its files, and mark "
            "its tracks as gone. Without this option, no track is marked as gone: a disk or share "
            "may be offline.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Register the audio files of a collection.

    Run the command again whenever files have changed. Files with an unchanged size and unchanged
    times are not read again, and neither are S3 objects with an unchanged size and ETag. A file
    that was moved, copied or retagged is recognised by its audio. A track whose file is missing
    keeps its results, which are shown again if the file returns.

    Examples:

    \b
        mirpipe ingest ~/music/library --collection reference
        mirpipe ingest ~/music/targets --collection target --manifest labels.csv
        mirpipe ingest s3://bucket/library --collection reference

    WAV, FLAC, MP3, Ogg, Opus, AIFF and CAF are always supported. M4A, AAC, WMA, Matroska and other
    formats need the program ffmpeg. A file that cannot be used, for example because it is empty,
    truncated, silent, or shorter than a second, is skipped until it changes. `mirpipe failures`
    lists such files with the reason.

    Paths in the manifest are relative to the manifest's folder or to one of the given folders. For
    a file without a row in the manifest, title and labels come from its tags. Without tags, the
    title is the file name.

    Exit codes:

    \b
        0  all files can be used
        1  a file could not be read for a reason other than the file itself, or
           so many files have vanished that no track was marked as gone
        3  some files cannot be used
    """
    from mirpipe.metric_settings import require_known_metrics
    from mirpipe.settings import settings
    from mirpipe.stages import ingest as stage

    require_known_metrics()
    with progress_bar(f"ingest {collection.value}") as progress:
        result = stage.ingest(
            [address_argument(text) for text in path],
            collection=collection.value,
            manifest=manifest or settings().manifest,
            progress=progress,
            allow_removal=allow_removal,
            on_unmatched=_print_unmatched_rows,
            on_withheld=_print_losses,
        )
    register_configured_plugins()
    counts = asdict(result)
    if not result.seen and not allow_removal:
        typer.echo(f"mirpipe: {_no_audio_message(path)}", err=True)
    if as_json:
        print(json.dumps(counts))
    else:
        _print_counts(collection.value, counts)
    raise typer.Exit(1 if result.failed or result.withheld else 3 if result.rejected else 0)


def _no_audio_message(paths: list[str]) -> str:
    """Return the message for folders without any audio file."""
    suffixes = " ".join(sorted(f".{suffix.decode()}" for suffix in AUDIO_SUFFIXES))
    return (
        f"No audio file in {', '.join(map(printable_path, paths))}. Name the folder that contains "
        f"the music, or rename its files. Their names must end in one of these: {suffixes}"
    )


def _print_unmatched_rows(rows: Sequence[ManifestRow]) -> None:
    typer.echo("These rows of the manifest match no file:", err=True)
    for row in rows[:MAX_LISTED_ROWS]:
        typer.echo(f"  line {row.line}: {row.path}", err=True)
    if len(rows) > MAX_LISTED_ROWS:
        typer.echo(f"  and {len(rows) - MAX_LISTED_ROWS} more", err=True)


def _print_losses(losses: Sequence[FolderLoss]) -> None:
    typer.echo("These folders have lost many files at once. No track was marked as gone:", err=True)
    for loss in losses[:MAX_LISTED_ROWS]:
        name = printable_path(loss.folder)
        typer.echo(f"  {name}: {loss.lost} of {loss.known} files are missing", err=True)
    if len(losses) > MAX_LISTED_ROWS:
        typer.echo(f"  and {len(losses) - MAX_LISTED_ROWS} more folders", err=True)
    typer.echo(
        "Mount the disk or share, and run the command again. If the files are deleted for good, "
        "add --allow-removal.",
        err=True,
    )


def _print_counts(collection: str, counts: dict[str, int]) -> None:
    """Print the counts that are not zero, each with an explanation."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(justify="right")
    table.add_row(str(counts["seen"]), "seen", f"audio files in the {collection} folders")
    for name, meaning in _COUNT_MEANINGS.items():
        if counts[name]:
            table.add_row(str(counts[name]), name, meaning)
    print_table(wide_console(), table)
