"""`mirpipe export`: every view as a Parquet file, with words for every column."""

import json
from pathlib import Path
from typing import Annotated

import typer

from mirpipe.cli.progress_bar import bar
from mirpipe.errors import ConfigurationError


def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Made where it is missing.")],
    view: Annotated[
        list[str] | None, typer.Option(help="Only this view, such as v_retrieval; repeatable.")
    ] = None,
    vectors: Annotated[
        bool, typer.Option("--vectors", help="The vectors, too: v_embedding_N, large.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print rows by view as JSON.")] = False,
) -> None:
    """Write every view as VIEW.parquet, with a data dictionary, all as of one moment.

    Reads as the role that can only read, while the pipeline goes on. Files are whole or not there:
    a killed export leaves those of the last one. `dictionary.md` and `dictionary.csv` say what
    every column is; so does each file's schema.
    """
    from mirpipe.operations.export import export as write

    try:
        with bar("export") as progress:
            counts = write(folder, views=view or (), vectors=vectors, progress=progress)
    except ConfigurationError as error:
        raise typer.BadParameter(str(error)) from None
    if as_json:
        print(json.dumps(counts))
        return
    for name, rows in counts.items():
        print(f"{name}.parquet: {rows} rows")
    print(f"what is in them: {folder / 'dictionary.md'}")
