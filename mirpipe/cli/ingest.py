"""`mirpipe ingest`: folders of audio become tracks."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from mirpipe.audio import show
from mirpipe.cli.command_arguments import make_plugins_known
from mirpipe.cli.progress_bar import bar
from mirpipe.cli.result_tables import wide_console
from mirpipe.library.folder_scan import SUFFIXES
from mirpipe.library.manifest import Row


class Side(StrEnum):
    """The collections that come from folders."""

    REFERENCE = "reference"
    TARGET = "target"


NAMED = 10
"""Rows of the manifest that are named where they match no file."""

_MEANING = {
    "unchanged": "as they were, not read again",
    "added": "new tracks",
    "moved": "known tracks at a new path",
    "duplicate": "further copies of a known track",
    "returned": "tracks that were gone and are back",
    "gone": "tracks that no file holds any more",
    "relabelled": "tracks with another title or other labels",
    "changing": "still being written, read next time",
    "unmatched": "manifest rows that name no file here",
    "rejected": "unusable: `mirpipe failures` says why",
    "failed": "could not be read, tried again next time: `mirpipe failures`",
}


def ingest(
    path: Annotated[list[Path], typer.Argument(help="Folders, searched recursively, or files.")],
    collection: Annotated[
        Side, typer.Option(help="reference: the library searched in; target: what is looked for.")
    ],
    manifest: Annotated[
        Path | None, typer.Option(help="CSV with a column path, and title and any labels.")
    ] = None,
    allow_empty: Annotated[
        bool, typer.Option("--allow-empty", help="Take an empty or missing folder at its word.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print counts as JSON.")] = False,
) -> None:
    """Bring one collection in line with what lies in folders. Run it as often as you like.

    Files whose size and time are as before are not read. Moved and duplicate files are recognised
    by content, vanished ones are marked gone and keep their results for when they return.

        mirpipe ingest ~/music/library --collection reference
        mirpipe ingest ~/queries --collection target --manifest ~/queries/labels.csv

    WAV, FLAC, MP3, Ogg, Opus, AIFF and CAF are read as they are; M4A, AAC, WMA, Matroska and more
    where the program ffmpeg is installed. What cannot be used (empty, truncated, silent, under a
    second, no audio, ...) is listed by `mirpipe failures` and left alone until the file changes.

    A row of the manifest belongs to a file by its path, relative to the manifest's folder or to
    PATH. Without a row the file's own tags are used, and without those its name.

    Exit codes: 0 all usable; 1 a file could not be read for another reason; 3 some are unusable.
    """
    from mirpipe.stages import ingest as stage

    with bar(f"ingest {collection.value}") as progress:
        result = stage.ingest(
            path,
            collection=collection.value,
            manifest=manifest,
            progress=progress,
            allow_empty=allow_empty,
            unmatched=_name_unmatched,
        )
    make_plugins_known()
    counts = asdict(result)
    if not result.seen and not allow_empty:
        typer.echo(f"mirpipe: {_nothing(path)}", err=True)
    if as_json:
        print(json.dumps(counts))
    else:
        _print(collection.value, counts)
    raise typer.Exit(1 if result.failed else 3 if result.rejected else 0)


def _nothing(paths: list[Path]) -> str:
    """What to tell a user whose folders hold no audio."""
    names = " ".join(sorted(f".{suffix.decode()}" for suffix in SUFFIXES))
    return (
        f"nothing in {', '.join(show(path) for path in paths)} has the name of an audio file: name "
        f"the folder that holds the music, or rename its files to end in one of {names}"
    )


def _name_unmatched(rows: Sequence[Row]) -> None:
    typer.echo("rows of the manifest that name no file here:", err=True)
    for row in rows[:NAMED]:
        typer.echo(f"  line {row.line}: {row.path}", err=True)
    if len(rows) > NAMED:
        typer.echo(f"  and {len(rows) - NAMED} more", err=True)


def _print(collection: str, counts: dict[str, int]) -> None:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(justify="right")
    table.add_row(str(counts["seen"]), "seen", f"files in the folders of {collection}")
    for name, meaning in _MEANING.items():
        if counts[name]:
            table.add_row(str(counts[name]), name, meaning)
    wide_console().print(table)
