"""`mirpipe search`: the nearest references of any track, of any audio file, or of words."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from mirpipe.cli.result_tables import plain, wide_console
from mirpipe.db.queries import vector_search as ask
from mirpipe.errors import PluginError, RejectedInput
from mirpipe.files.sha256 import sha256
from mirpipe.records import Float32

SHOWN = 20
"""Tracks that an ambiguous name lists."""


def search(
    asked: Annotated[
        str,
        typer.Argument(
            metavar="TRACK|FILE|WORDS",
            help="A track's id, its title or a part of it, the path of an audio file, or, with "
            "--text, what it should sound like.",
        ),
    ],
    encoder: Annotated[str, typer.Option(help="Whose space to search in; see `mirpipe encoders`.")],
    text: Annotated[
        bool, typer.Option("--text", help="Search by words; clap and clap_630k can.")
    ] = False,
    k: Annotated[int, typer.Option("-k", min=1, max=1000, help="How many answers.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answers as JSON.")] = False,
) -> None:
    """Find the references that sound most like a track, like any audio file, or as words say.

    A file need not be in the library: it is embedded for this one question.
    """
    space = _space(encoder)
    found = None if text else _track(asked)
    if text:
        vector, own, title = _words(space, asked), b"", asked
    elif found is None:
        vector, own, title = _file(space, Path(asked))
    else:
        vector, own, title = _stored(space, found), bytes(found.content_sha256), found.title
    hits = ask.nearest(space, vector, k=k, own=own)
    if as_json:
        query = {"title": title, "track_id": found.track_id if found else None}
        answers = [asdict(hit) for hit in hits]
        named = {"encoder": space.encoder, "revision": space.revision, "random": space.random}
        print(json.dumps({"query": query, **named, "answers": answers}))
        return
    if not hits:
        Console(stderr=True).print("no references yet: run `mirpipe ingest`, then `mirpipe run`")
        return
    console = wide_console()
    marked = f"{space.encoder} (random weights)" if space.random else space.encoder
    console.print(plain(f"{title}: nearest references by {marked}"))
    console.print(_table(hits))


def _space(encoder: str) -> ask.Space:
    spaces = ask.spaces()
    for space in spaces:
        if space.encoder == encoder:
            return space
    known = ", ".join(dict.fromkeys(space.encoder for space in spaces)) or "none yet"
    raise typer.BadParameter(
        f"{encoder!r} has no vectors in this database; encoders that have: {known}. "
        f"`mirpipe embed --encoder {encoder}` makes them where it is one of `mirpipe encoders`"
    )


def _track(asked: str) -> ask.Found | None:
    """The one track that is meant; None where it is a file. Raises BadParameter."""
    found = ask.find(asked)
    whole = [one for one in found if asked in (one.title, str(one.track_id))]
    if not whole and Path(asked).is_file():
        return None
    if not found:
        raise typer.BadParameter(
            f"no usable track and no file is called {asked!r}: give a track's id, its title or a "
            "part of it, or the path of an audio file"
        )
    if len({bytes(one.content_sha256) for one in found}) > 1:
        listed = [f"  {one.track_id}  {one.collection}  {one.title}" for one in found[:SHOWN]]
        more = [f"  and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
        raise typer.BadParameter(
            "\n".join([f"{asked!r} names {len(found)} tracks; give one's id:", *listed, *more])
        )
    return found[0]


def _stored(space: ask.Space, found: ask.Found) -> Float32:
    vector = ask.vector_of(space, found.track_id)
    if vector is None:
        raise PluginError(
            f"{found.title!r} has no vector by {space.encoder} yet: run `mirpipe embed "
            f"--encoder {space.encoder}`, and see `mirpipe failures` if it stays so"
        )
    return vector


def _file(space: ask.Space, path: Path) -> tuple[Float32, bytes, str]:
    """Vector, content hash and name of a file; the vector is the stored one where there is one."""
    own = sha256(path)
    for known in ask.of_content(own):
        vector = ask.vector_of(space, known.track_id)
        if vector is not None:
            return vector, own, path.name
    from mirpipe.stages.embed import embed_file

    _go_where_it_is(space)
    try:
        return embed_file(space.encoder, path), own, path.name
    except RejectedInput as problem:
        typer.echo(f"mirpipe: {path.name} cannot be searched with: {problem}", err=True)
        raise typer.Exit(3) from problem


def _words(space: ask.Space, words: str) -> Float32:
    """Vector of words. Raises BadParameter where the encoder takes none."""
    from mirpipe import registry
    from mirpipe.stages.embed.text_query import embed_text

    if not words.strip():
        raise typer.BadParameter("say in words what it should sound like")
    if not registry.ENCODERS.takes_text(space.encoder):
        able = ", ".join(filter(registry.ENCODERS.takes_text, registry.ENCODERS.names()))
        raise typer.BadParameter(f"{space.encoder} takes no words; encoders that do: {able}")
    _go_where_it_is(space)
    return embed_text(space.encoder, words)


def _go_where_it_is(space: ask.Space) -> None:
    """Makes sure that this process is the interpreter of the encoder, in the space's revision."""
    from mirpipe import registry
    from mirpipe.cli import other_interpreter
    from mirpipe.models import interpreters

    installed = registry.revision(registry.ENCODERS.spec(space.encoder))
    if installed != space.revision:
        raise PluginError(
            f"{space.encoder} answers in revision {space.revision} and is installed as {installed}:"
            " run `mirpipe run`, so that the two are the same"
        )
    python = registry.ENCODERS.interpreter(space.encoder)
    if python != interpreters.HERE:
        other_interpreter.become(python, sys.argv[1:])


def _table(hits: list[ask.Hit]) -> Table:
    table = Table()
    table.add_column("rank", justify="right")
    table.add_column("cosine", justify="right")
    table.add_column("reference", overflow="fold")
    table.add_column("id", justify="right")
    for hit in hits:
        table.add_row(str(hit.rank), f"{hit.cosine:.4f}", plain(hit.title), str(hit.track_id))
    return table
