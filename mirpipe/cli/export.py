"""`mirpipe export`: writes the views as Parquet files, with a data dictionary."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from mirpipe.cli.command_arguments import AsJson
from mirpipe.cli.progress_bar import progress_bar
from mirpipe.errors import ConfigurationError


def export(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder for the files. Created if missing.")
    ],
    view: Annotated[
        list[str] | None,
        typer.Option(
            help="Export only this view, such as v_retrieval. Repeat for several views. Default: "
            "all views without vectors."
        ),
    ] = None,
    vectors: Annotated[
        bool,
        typer.Option(
            "--vectors", help="Also export the vectors (views v_embedding_N). They are large."
        ),
    ] = False,
    mteb: Annotated[
        bool,
        typer.Option(
            "--mteb",
            help="Export the tracks, labels and matches as a retrieval dataset for MTEB instead of "
            "the views.",
        ),
    ] = False,
    with_audio: Annotated[
        bool,
        typer.Option(
            "--with-audio", help="With --mteb: copy the audio files instead of their paths."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Export the views as Parquet files, or a dataset for MTEB.

    Writes one file VIEW.parquet per view. The files dictionary.md and dictionary.csv describe every
    column. All files come from one snapshot of the database, and the pipeline can keep running. If
    you stop the command, the files of the previous export remain.
    """
    from mirpipe.operations.export import export as write_files

    if with_audio and not mteb:
        raise typer.BadParameter("--with-audio needs --mteb. Add --mteb.")
    if mteb:
        if view or vectors:
            raise typer.BadParameter("--mteb exports no views. Remove --view and --vectors.")
        _export_mteb(folder, with_audio=with_audio, as_json=as_json)
        return
    try:
        with progress_bar("export") as progress:
            counts = write_files(folder, views=view or (), vectors=vectors, progress=progress)
    except ConfigurationError as error:
        raise typer.BadParameter(str(error)) from None
    if as_json:
        print(json.dumps(counts))
        return
    _print_counts({f"{name}.parquet": rows for name, rows in counts.items()})
    print(f"The columns are described in {folder / 'dictionary.md'}")


def _export_mteb(folder: Path, *, with_audio: bool, as_json: bool) -> None:
    from mirpipe.operations.export_mteb import export_mteb
    from mirpipe.settings import settings

    try:
        counts = export_mteb(
            folder,
            with_audio=with_audio,
            same_recording_counts=settings().same_recording_counts,
        )
    except ConfigurationError as error:
        raise typer.BadParameter(str(error)) from None
    if as_json:
        print(json.dumps(counts))
        return
    _print_counts(counts)
    print(f"The configurations are described in {folder / 'README.md'}")


def _print_counts(counts: Mapping[str, int]) -> None:
    from mirpipe.db.queries.sentence_parts import counted

    for name, rows in counts.items():
        print(f"{name}: {counted(rows, 'row')}")
