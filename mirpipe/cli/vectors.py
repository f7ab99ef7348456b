"""`mirpipe vectors`: exchanges vectors with other libraries, as Parquet files."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from mirpipe.cli.command_arguments import AsJson
from mirpipe.cli.progress_bar import progress_bar
from mirpipe.cli.terminal_text import printable_title
from mirpipe.errors import ConfigurationError, RejectedInput

HELP = """
Exchange vectors with another library.

A Parquet file contains the vectors of one encoder revision, and the content hashes of the tracks.
An import needs no weights and opens no audio file. The vectors are stored for the tracks of the
library with the same content. With --add-tracks, the tracks of the file that the library lacks are
added, too, without their audio.

Examples:

\b
    mirpipe vectors export clap clap.parquet   write the vectors of clap
    mirpipe vectors import clap.parquet        import them elsewhere
    mirpipe vectors import clap.parquet --add-tracks
                                               also add missing tracks
    mirpipe vectors remove-tracks              remove the tracks without audio
"""

app = typer.Typer(help=HELP, no_args_is_help=True, rich_markup_mode=None)


@app.command("export")
def export(
    encoder: Annotated[str, typer.Argument(metavar="ENCODER", help="Encoder, such as clap.")],
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Parquet file. It is replaced if it exists.")
    ],
    tracks: Annotated[
        bool,
        typer.Option(
            "--tracks/--no-tracks",
            help="Write or leave out the titles, labels, lengths and fingerprints of the tracks.",
        ),
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Write the vectors of an encoder to a Parquet file.

    The file contains the vectors of all usable tracks by the active revision. It also describes the
    tracks, so that a library without the recordings can use them. It contains no audio and no
    paths.
    """
    from mirpipe.db.queries.sentence_parts import counted
    from mirpipe.operations.export_vectors import export_vectors

    try:
        rows = export_vectors(encoder, file, with_tracks=tracks)
    except ConfigurationError as error:
        raise typer.BadParameter(str(error)) from None
    vectors = counted(rows, "vector")
    print(json.dumps({"vectors": rows}) if as_json else f"{file}: {vectors} of {encoder}")


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Parquet file with vectors.")],
    activate: Annotated[
        bool,
        typer.Option(
            "--activate", help="Show the matches of this revision instead of the active one."
        ),
    ] = False,
    add_tracks: Annotated[
        bool,
        typer.Option("--add-tracks", help="Add the tracks that the library lacks, without audio."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Import vectors from a Parquet file.

    Each vector is stored for the usable tracks with the same content hash, and marked as imported.
    Existing vectors are kept. The file is checked completely before anything is stored. Import it
    again after you have ingested more tracks.

    A track that was added without audio has matches, but cannot be played, captioned or scored.
    When `mirpipe ingest` finds its recording, it becomes a track like any other.

    Exit codes:

    \b
        0  the file was imported
        1  tracks already have different vectors of this revision, which were kept
        3  the file is not valid; nothing was stored
    """
    from mirpipe.db.queries.sentence_parts import counted
    from mirpipe.operations.import_vectors import import_vectors

    try:
        with progress_bar("import") as progress:
            result = import_vectors(
                file, activate=activate, add_tracks=add_tracks, progress=progress
            )
    except RejectedInput as problem:
        typer.echo(f"mirpipe: Cannot import {file}: {problem}", err=True)
        raise typer.Exit(3) from problem
    if as_json:
        print(json.dumps(asdict(result)))
    else:
        print(
            f"{result.encoder}, revision {result.revision}: {result.imported} imported, "
            f"{result.present} already stored, {result.differing} different, "
            f"{result.unknown} without a track"
        )
        if result.added_tracks:
            print(f"{counted(result.added_tracks, 'track')} added without audio")
    if result.unknown:
        verb = "belongs" if result.unknown == 1 else "belong"
        typer.echo(
            f"{counted(result.unknown, 'vector')} of the file {verb} to no usable track. "
            f"{_remedy(describes_tracks=result.describes_tracks, add_tracks=add_tracks)}",
            err=True,
        )
    if result.differing:
        _print_differing(result.differing, [(t.track_id, t.title) for t in result.named])
    if result.state.other_configured:
        typer.echo(
            f"Another revision of {result.encoder} is configured, so its matches are shown, not "
            f"those of the file. To show those, remove {result.encoder} from MIRPIPE_ENCODERS, run "
            "`mirpipe run`, and import the file again with --activate.",
            err=True,
        )
    elif result.state.other_active:
        typer.echo(
            f"Another revision of {result.encoder} is active. To show the matches of the imported "
            "one, import the file again with --activate.",
            err=True,
        )
    elif result.imported:
        typer.echo("Run `mirpipe run` to find the matches.", err=True)
    raise typer.Exit(1 if result.differing else 0)


@app.command("remove-tracks")
def remove_tracks(as_json: AsJson = False) -> None:
    """Remove the tracks that were added without audio.

    The tracks are marked as gone. Their history stays, and `mirpipe vectors import --add-tracks`
    brings them back. Tracks whose recordings were ingested since stay.
    """
    from mirpipe.db.queries.sentence_parts import counted
    from mirpipe.operations import import_vectors

    removed = import_vectors.remove_tracks()
    print(json.dumps({"removed": removed}) if as_json else f"{counted(removed, 'track')} removed")
    if removed:
        typer.echo("Run `mirpipe run` to find the matches of the others.", err=True)


def _remedy(*, describes_tracks: bool, add_tracks: bool) -> str:
    """Return what to do about vectors without a track."""
    if add_tracks and describes_tracks:
        return "The file describes no track with their content. This is so for generated clips."
    ingest = "Run `mirpipe ingest` on the recordings from which they were computed, then import "
    ingest += "the file again."
    if add_tracks:
        return f"{ingest} The file describes no tracks: it was exported with --no-tracks."
    if describes_tracks:
        return f"{ingest} Or add the tracks without their audio: import the file with --add-tracks."
    return ingest


def _print_differing(count: int, named: list[tuple[int, str]]) -> None:
    from mirpipe.db.queries.sentence_parts import counted

    lines = [f"  {track_id}  {printable_title(title).plain}" for track_id, title in named]
    lines += [f"  and {count - len(named)} more"] if count > len(named) else []
    heading = (
        f"The library already has different vectors of this revision for "
        f"{counted(count, 'track')}, and kept them. One of the two was computed differently:"
    )
    typer.echo("\n".join([heading, *lines]), err=True)
