"""`mirpipe playlist`: writes the matches of a target as a playlist for audio players."""

import json
from pathlib import Path
from typing import Annotated

import typer

from mirpipe.cli.command_arguments import AsJson
from mirpipe.cli.terminal_text import printable_title
from mirpipe.db import queries
from mirpipe.db.queries.find_tracks import target_id_by_name
from mirpipe.db.queries.sentence_parts import counted
from mirpipe.db.queries.track_lengths import track_lengths
from mirpipe.errors import ConfigurationError, MirpipeError
from mirpipe.operations.output_file import write_output
from mirpipe.operations.playlist import PlaylistEntry, m3u8


def playlist(
    target: Annotated[
        str,
        typer.Argument(metavar="TARGET", help="A target's id, its title or a part of the title."),
    ],
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="Playlist, such as matches.m3u8. It is replaced."),
    ],
    encoder: Annotated[
        str | None, typer.Option(help="Use only the matches of this encoder. Default: all.")
    ] = None,
    k: Annotated[
        int, typer.Option("-k", min=1, max=10, help="Number of matches per encoder.")
    ] = 10,
    as_json: AsJson = False,
) -> None:
    """Write the matches of a target as a playlist.

    Any audio player can open the file (M3U8). It contains the absolute paths of the matches of the
    latest run: those of the first encoder, best match first, then those of the next encoder. A
    match that several encoders have found is listed once. Matches without a file on this
    machine are left out, and printed to stderr.

    Example:

    \b
        mirpipe playlist "Greensleeves" greensleeves.m3u8 --encoder clap
    """
    if file.suffix.lower() != ".m3u8":
        raise typer.BadParameter(
            f"The name {file.name!r} does not end in .m3u8. Choose such a name, so that players "
            "read the file as UTF-8."
        )
    title, chosen = _matches(target, encoder, k)
    files = queries.file_locations(list(chosen))
    seconds = track_lengths(list(chosen))
    entries, missing = [], []
    for track_id, reference in chosen.items():
        paths = [location.path for location in files.get(track_id, [])]
        path = next((path for path in paths if isinstance(path, Path) and path.is_file()), None)
        if path is None:
            missing.append(reference)
        else:
            entries.append(PlaylistEntry(path, reference, seconds.get(track_id)))
    if missing:
        lines = [f"  {printable_title(reference).plain}" for reference in missing]
        heading = "Matches that are left out, because they have no file on this machine:"
        typer.echo("\n".join([heading, *lines]), err=True)
    if not entries:
        raise MirpipeError(
            "No match has a file on this machine, so no playlist was written. If the files are on "
            "another disk, connect it. Otherwise, run `mirpipe ingest` on the folder that has them."
        )
    write_output(file, m3u8(f"Matches of {title}", entries))
    result = {"tracks": len(entries), "missing": len(missing)}
    print(json.dumps(result) if as_json else f"{file}: {counted(len(entries), 'track')}")


def _matches(target: str, encoder: str | None, k: int) -> tuple[str, dict[int, str]]:
    """Return the title of the target, and the titles of its matches by track id, in order."""
    try:
        matches = queries.matches(target_id_by_name(target), k=k)
    except ConfigurationError as error:
        raise typer.BadParameter(str(error)) from None
    chosen = [match for match in matches if encoder in (None, match.encoder)]
    if not matches:
        raise typer.BadParameter(
            f"{target!r} has no matches in the latest run. Run `mirpipe run`, then try again."
        )
    if not chosen:
        encoders = ", ".join(dict.fromkeys(match.encoder for match in matches))
        raise typer.BadParameter(
            f"{target!r} has no matches by {encoder!r}. Encoders with matches: {encoders}."
        )
    return chosen[0].target, {match.reference_id: match.reference for match in chosen}
