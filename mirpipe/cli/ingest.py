"""`mirpipe ingest`: folders of audio become tracks."""

import json
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from mirpipe.cli.given import make_plugins_known
from mirpipe.cli.progress import bar
from mirpipe.cli.tables import wide_console


class Side(StrEnum):
    """The collections that come from folders."""

    REFERENCE = "reference"
    TARGET = "target"


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
        )
    make_plugins_known()
    counts = asdict(result)
    if as_json:
        print(json.dumps(counts))
    else:
        _print(collection.value, counts)
    raise typer.Exit(1 if result.failed else 3 if result.rejected else 0)


def _print(collection: str, counts: dict[str, int]) -> None:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(justify="right")
    table.add_row(str(counts["seen"]), "seen", f"files in the folders of {collection}")
    for name, meaning in _MEANING.items():
        if counts[name]:
            table.add_row(str(counts[name]), name, meaning)
    wide_console().print(table)
