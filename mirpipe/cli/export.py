"""`mirpipe export`: writes the views as Parquet files, with a data dictionary."""

import json
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
    as_json: AsJson = False,
) -> None:
    """Export the views as Parquet files.

    Writes one file VIEW.parquet per view. The files dictionary.md and dictionary.csv describe every
    column. All files come from one snapshot of the database, and the pipeline can keep running. If
    you stop the command, the files of the previous export remain.
    """
    from mirpipe.operations.export import export as write_files

    try:
        with progress_bar("export") as progress:
            counts = write_files(folder, views=view or (), vectors=vectors, progress=progress)
    except ConfigurationError as error:
        raise typer.BadParameter(str(error)) from None
    if as_json:
        print(json.dumps(counts))
        return
    for name, rows in counts.items():
        print(f"{name}.parquet: {rows} rows")
    print(f"The columns are described in {folder / 'dictionary.md'}")
