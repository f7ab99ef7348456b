"""`mirpipe search`: finds references that are similar to a track, an audio file or a text."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from mirpipe.cli.command_arguments import AsJson
from mirpipe.cli.terminal_text import printable_title, wide_console
from mirpipe.db.queries import vector_search
from mirpipe.errors import PluginError, RejectedInput
from mirpipe.files.sha256 import sha256
from mirpipe.records import Float32

MAX_LISTED_TRACKS = 20
"""Largest number of tracks that are listed if a name is ambiguous."""


def search(
    query: Annotated[
        str,
        typer.Argument(
            metavar="TRACK|FILE|TEXT",
            help="A track's id, its title or a part of the title; or the path of an audio file; "
            "or, with --text, a description of the sound.",
        ),
    ],
    encoder: Annotated[
        str,
        typer.Option(
            help="Encoder whose vectors are compared. `mirpipe encoders` lists the encoders."
        ),
    ],
    text: Annotated[
        bool,
        typer.Option(
            "--text", help="Search by a text. The encoder must support this; clap and clap_630k do."
        ),
    ] = False,
    k: Annotated[int, typer.Option("-k", min=1, max=1000, help="Number of matches.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Search for references with a similar sound.

    The query is a track, an audio file or a text. A file does not have to be in the library: it is
    embedded for this search only.

    Examples:

    \b
        mirpipe search "Greensleeves" --encoder musicnn
        mirpipe search ~/Downloads/song.mp3 --encoder musicnn -k 5
        mirpipe search --text "slow piano with rain" --encoder clap
    """
    space = _space(encoder)
    track = None if text else _find_track(query)
    if text:
        vector, own_hash, title = _text_vector(space, query), b"", query
    elif track is None:
        vector, own_hash, title = _file_vector(space, Path(query))
    else:
        vector, own_hash, title = (
            _track_vector(space, track),
            bytes(track.content_sha256),
            track.title,
        )
    hits = vector_search.nearest(space, vector, k=k, own=own_hash)
    if as_json:
        result = {
            "query": {"title": title, "track_id": track.track_id if track else None},
            "encoder": space.encoder,
            "revision": space.revision,
            "random": space.random,
            "answers": [asdict(hit) for hit in hits],
        }
        print(json.dumps(result))
        return
    if not hits:
        Console(stderr=True).print(
            "There are no references yet. Run `mirpipe ingest`, then `mirpipe run`."
        )
        return
    console = wide_console()
    name = f"{space.encoder} (random weights)" if space.random else space.encoder
    console.print(printable_title(f"{title}: most similar references by {name}"))
    console.print(_table(hits))


def _space(encoder: str) -> vector_search.Space:
    """Return the encoder's revision that is searched. Raises BadParameter if it has no vectors."""
    spaces = vector_search.spaces()
    for space in spaces:
        if space.encoder == encoder:
            return space
    existing = ", ".join(dict.fromkeys(space.encoder for space in spaces)) or "none yet"
    raise typer.BadParameter(
        f"There are no vectors of {encoder!r} in the database. Encoders with vectors: {existing}. "
        f"If `mirpipe encoders` lists {encoder}, `mirpipe embed --encoder {encoder}` computes its "
        "vectors."
    )


def _find_track(query: str) -> vector_search.Found | None:
    """Return the track that the query names, or None if the query is the path of a file.

    An id or a complete title is preferred to a path, and a path to a part of a title. Raises
    BadParameter if the query names nothing, or tracks with different content.
    """
    tracks = vector_search.find(query)
    is_exact = any(query in (track.title, str(track.track_id)) for track in tracks)
    if not is_exact and Path(query).is_file():
        return None
    if not tracks:
        raise typer.BadParameter(
            f"There is no usable track and no file {query!r}. Give a track's id, its title or a "
            "part of the title, or the path of an audio file."
        )
    if len({bytes(track.content_sha256) for track in tracks}) > 1:
        lines = [
            f"  {track.track_id}  {track.collection}  {track.title}"
            for track in tracks[:MAX_LISTED_TRACKS]
        ]
        if len(tracks) > MAX_LISTED_TRACKS:
            lines.append(f"  and {len(tracks) - MAX_LISTED_TRACKS} more")
        raise typer.BadParameter(
            "\n".join([f"{query!r} matches {len(tracks)} tracks. Give the id of one:", *lines])
        )
    return tracks[0]


def _track_vector(space: vector_search.Space, track: vector_search.Found) -> Float32:
    """Return the stored vector of a track. Raises PluginError if there is none."""
    vector = vector_search.vector_of(space, track.track_id)
    if vector is None:
        raise PluginError(
            f"{track.title!r} has no vector of {space.encoder} yet. Run `mirpipe embed --encoder "
            f"{space.encoder}`. If that does not help, `mirpipe failures` shows the reason."
        )
    return vector


def _file_vector(space: vector_search.Space, path: Path) -> tuple[Float32, bytes, str]:
    """Return the vector, the SHA-256 and the name of a file.

    If a track with the same content has a vector, that vector is returned and the file is not
    embedded.
    """
    content_hash = sha256(path)
    for track in vector_search.of_content(content_hash):
        vector = vector_search.vector_of(space, track.track_id)
        if vector is not None:
            return vector, content_hash, path.name
    from mirpipe.stages.embed import embed_file

    _require_encoder(space)
    try:
        return embed_file(space.encoder, path), content_hash, path.name
    except RejectedInput as problem:
        typer.echo(f"mirpipe: Cannot search with {path.name}: {problem}", err=True)
        raise typer.Exit(3) from problem


def _text_vector(space: vector_search.Space, text: str) -> Float32:
    """Return the vector of a text. Raises BadParameter if the encoder cannot embed text."""
    from mirpipe import registry
    from mirpipe.stages.embed.text_query import embed_text

    if not text.strip():
        raise typer.BadParameter("The text is empty. Describe the sound that you look for.")
    if not registry.ENCODERS.takes_text(space.encoder):
        names = ", ".join(filter(registry.ENCODERS.takes_text, registry.ENCODERS.names()))
        raise typer.BadParameter(
            f"{space.encoder} cannot search by text. Encoders that can: {names}"
        )
    _require_encoder(space)
    return embed_text(space.encoder, text)


def _require_encoder(space: vector_search.Space) -> None:
    """Continue only if this process can run the encoder in the revision of its stored vectors.

    If another interpreter has the encoder's libraries, that interpreter replaces this process and
    starts the command again. Raises PluginError if another revision is installed.
    """
    from mirpipe import registry
    from mirpipe.cli import other_interpreter
    from mirpipe.models import interpreters

    installed = registry.revision(registry.ENCODERS.spec(space.encoder))
    if installed != space.revision:
        raise PluginError(
            f"The stored vectors of {space.encoder} have revision {space.revision}, but revision "
            f"{installed} is installed. Run `mirpipe run` to compute the vectors of the installed "
            "revision."
        )
    python = registry.ENCODERS.interpreter(space.encoder)
    if python != interpreters.CURRENT_PYTHON:
        other_interpreter.replace_process(python, sys.argv[1:])


def _table(hits: list[vector_search.Hit]) -> Table:
    table = Table()
    table.add_column("rank", justify="right")
    table.add_column("cosine", justify="right")
    table.add_column("reference", overflow="fold")
    table.add_column("id", justify="right")
    for hit in hits:
        title = printable_title(hit.title)
        table.add_row(str(hit.rank), f"{hit.cosine:.4f}", title, str(hit.track_id))
    return table
