"""`mirpipe search`: finds references that are similar to a track, an audio file or a text."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mirpipe import registry
from mirpipe.cli.command_arguments import AsJson
from mirpipe.cli.progress_bar import print_waiting
from mirpipe.cli.table_layout import print_table
from mirpipe.cli.terminal_text import marked_title, printable_title, wide_console
from mirpipe.db.queries import vector_search
from mirpipe.db.queries.find_tracks import FoundTrack, tracks_by_content, tracks_by_name
from mirpipe.db.queries.track_names import with_distinct_titles
from mirpipe.errors import PluginError, RejectedInput
from mirpipe.files.sha256 import sha256
from mirpipe.records import Float32
from mirpipe.settings import settings

MAX_LISTED_TRACKS = 20
"""Maximum number of tracks that are listed if a name is ambiguous."""


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
        str | None,
        typer.Option(
            help="Encoder whose vectors are compared. Default: the first of MIRPIPE_ENCODERS that "
            "has vectors and, with --text, can embed a text."
        ),
    ] = None,
    text: Annotated[
        bool,
        typer.Option(
            "--text",
            help="Search with a text. The encoders clap, clap_630k and muq_mulan support this.",
        ),
    ] = False,
    k: Annotated[int, typer.Option("-k", min=1, max=1000, help="Number of matches.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Search for references that sound similar.

    The query is a track, an audio file or a text. A file that is not in the library is embedded for
    this search only.

    Examples:

    \b
        mirpipe search "Greensleeves"
        mirpipe search song.mp3 --encoder musicnn -k 5
        mirpipe search --text "slow piano with rain"
    """
    revision = _searchable_revision(encoder, takes_text=text)
    track = None if text else _find_track(query)
    if text:
        vector, own_hash, title = _text_vector(revision, query), b"", query
    elif track is None:
        vector, own_hash, title = _file_vector(revision, Path(query))
    else:
        vector, own_hash, title = (
            _track_vector(revision, track),
            bytes(track.content_sha256),
            track.title,
        )
    references = vector_search.nearest_references(revision, vector, k=k, excluded_sha256=own_hash)
    if text:
        # The percentile compares with cosines of audio to audio, which are on another scale.
        references = [replace(each, percentile=None) for each in references]
    if as_json:
        result = {
            "query": {"title": title, "track_id": track.track_id if track else None},
            "encoder": revision.encoder,
            "revision": revision.revision,
            "random": revision.random,
            "imported": revision.imported,
            "answers": [asdict(each) for each in references],
        }
        print(json.dumps(result))
        return
    if not references:
        Console(stderr=True).print(
            "There are no references yet. Run `mirpipe ingest`, then `mirpipe run`."
        )
        return
    console = wide_console()
    name = f"{revision.encoder} (random weights)" if revision.random else revision.encoder
    name += " (imported vectors)" if revision.imported else ""
    console.print(printable_title(f"{title}: most similar references by {name}"))
    print_table(console, _table(references))


def _searchable_revision(
    encoder: str | None, *, takes_text: bool
) -> vector_search.SearchableRevision:
    """Return the revision to search: the encoder's, or that of the first suitable encoder.

    Raises BadParameter if there are no vectors.
    """
    revisions = vector_search.searchable_revisions()
    names = [encoder] if encoder else settings().encoders
    for name in names:
        for revision in revisions:
            suits = encoder or not takes_text or registry.ENCODERS.takes_text(name)
            if revision.encoder == name and suits:
                return revision
    existing = ", ".join(dict.fromkeys(revision.encoder for revision in revisions)) or "none yet"
    if encoder is None and takes_text and revisions:
        able = ", ".join(filter(registry.ENCODERS.takes_text, registry.ENCODERS.names()))
        raise typer.BadParameter(
            f"No configured encoder with vectors can search by text. Encoders that can: {able}. "
            "Add one to MIRPIPE_ENCODERS, and run `mirpipe run`."
        )
    if encoder is None:
        raise typer.BadParameter(
            f"There are no vectors of {', '.join(names)} in the database. Encoders with vectors: "
            f"{existing}. `mirpipe run` computes the vectors."
        )
    raise typer.BadParameter(
        f"There are no vectors of {encoder!r} in the database. Encoders with vectors: {existing}. "
        f"If `mirpipe encoders` lists {encoder}, `mirpipe embed --encoder {encoder}` computes its "
        "vectors."
    )


def _find_track(query: str) -> FoundTrack | None:
    """Return the track that the query names, or None if the query is the path of a file.

    An id or a complete title takes precedence over a path, and a path over a part of a title. Clips
    count only if no other track has the name, because their titles contain those of their targets.
    Raises BadParameter if the query names nothing, or tracks with different content.
    """
    tracks = tracks_by_name(query)
    tracks = [track for track in tracks if track.collection != "generated"] or tracks
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
            for track in with_distinct_titles(tracks[:MAX_LISTED_TRACKS], title="track_id")
        ]
        if len(tracks) > MAX_LISTED_TRACKS:
            lines.append(f"  and {len(tracks) - MAX_LISTED_TRACKS} more")
        raise typer.BadParameter(
            "\n".join([f"{query!r} matches {len(tracks)} tracks. Give the id of one:", *lines])
        )
    return tracks[0]


def _track_vector(revision: vector_search.SearchableRevision, track: FoundTrack) -> Float32:
    """Return the stored vector of a track. Raises PluginError if there is none."""
    vector = vector_search.stored_vector(revision, track.track_id)
    if vector is None:
        raise PluginError(
            f"{track.title!r} has no vector of {revision.encoder} yet. Run `mirpipe embed "
            f"--encoder {revision.encoder}`. If that does not help, `mirpipe failures` shows the "
            "reason."
        )
    return vector


def _file_vector(
    revision: vector_search.SearchableRevision, path: Path
) -> tuple[Float32, bytes, str]:
    """Return the vector, the content hash and the name of a file.

    If a track with the same content has a vector, that vector is returned and the file is not
    embedded.
    """
    content_hash = _content_hash(path)
    for track in tracks_by_content(content_hash):
        vector = vector_search.stored_vector(revision, track.track_id)
        if vector is not None:
            return vector, content_hash, path.name
    from mirpipe.stages.embed import embed_file

    _require_encoder(revision)
    try:
        vector = embed_file(revision.encoder, path, on_wait=print_waiting)
    except RejectedInput as problem:
        typer.echo(f"mirpipe: Cannot search with {path.name}: {problem}", err=True)
        raise typer.Exit(3) from problem
    return vector, content_hash, path.name


def _content_hash(path: Path) -> bytes:
    """Return the hash that would identify the file as a track."""
    from mirpipe.audio import identify

    try:
        identity = identify(path)
    except RejectedInput:
        identity = None  # The reason is shown when the file is embedded.
    return identity.sha256 if identity else sha256(path)


def _text_vector(revision: vector_search.SearchableRevision, text: str) -> Float32:
    """Return the vector of a text. Raises BadParameter if the encoder cannot embed text."""
    from mirpipe.stages.embed.text_query import embed_text

    if not text.strip():
        raise typer.BadParameter("The text is empty. Describe the sound that you are looking for.")
    if not registry.ENCODERS.takes_text(revision.encoder):
        names = ", ".join(filter(registry.ENCODERS.takes_text, registry.ENCODERS.names()))
        raise typer.BadParameter(
            f"{revision.encoder} cannot search by text. Encoders that can: {names}"
        )
    _require_encoder(revision)
    return embed_text(revision.encoder, text, on_wait=print_waiting)


def _require_encoder(revision: vector_search.SearchableRevision) -> None:
    """Continue only if this process can run the encoder revision of the stored vectors.

    If another interpreter has the encoder's libraries, that interpreter replaces this process and
    starts the command again. Raises PluginError if another revision is installed.
    """
    from mirpipe.cli import other_interpreter
    from mirpipe.models import interpreters

    installed = registry.revision(registry.ENCODERS.spec(revision.encoder))
    if installed != revision.revision:
        raise PluginError(
            f"The stored vectors of {revision.encoder} have revision {revision.revision}, but "
            f"revision {installed} is installed. Run `mirpipe run` to compute the vectors of the "
            "installed revision."
        )
    python = registry.ENCODERS.interpreter(revision.encoder)
    if python != interpreters.CURRENT_PYTHON:
        other_interpreter.replace_process(python, sys.argv[1:])


def _table(references: list[vector_search.NearReference]) -> Table:
    """Return the table. Columns without any number are left out."""
    columns: dict[str, Sequence[str | Text]] = {
        "rank": [str(each.rank) for each in references],
        "cosine": [f"{each.cosine:.4f}" for each in references],
        "z": ["" if each.z is None else f"{each.z:.2f}" for each in references],
        "percentile": [
            "" if each.percentile is None else f"{each.percentile:.1f}" for each in references
        ],
        "reference": [marked_title(each.title, each.relation) for each in references],
        "id": [str(each.track_id) for each in references],
    }
    shown = {name: cells for name, cells in columns.items() if any(cells)}
    table = Table()
    for name in shown:
        if name == "reference":
            table.add_column(name, overflow="fold")
        else:
            table.add_column(name, justify="right")
    for cells in zip(*shown.values(), strict=True):
        table.add_row(*cells)
    return table
