"""`mirpipe db index`: builds and drops the indexes of searches."""

from typing import Annotated

import typer

from mirpipe.cli.progress_bar import progress_bar
from mirpipe.errors import ConfigurationError


def index(
    encoder: Annotated[
        list[str] | None, typer.Option(help="Only this encoder. Can be given several times.")
    ] = None,
    drop: Annotated[bool, typer.Option("--drop", help="Drop the indexes.")] = False,
    memory: Annotated[
        str | None,
        typer.Option(
            help="Memory for the build, such as 4GB. Default: maintenance_work_mem of the server."
        ),
    ] = None,
) -> None:
    """Build the indexes that make large libraries fast to search.

    From about 20,000 references on, the commands and pages that search compare too many vectors.
    With an HNSW index they compare a few hundred, and find at least 99 of 100 of the nearest
    references. Match lists and all numbers in reports are computed without it and stay exact.

    Encoders with an index or with more than 2,000 dimensions are left out. Encoders with fewer
    references are left out, too, unless --encoder names them.
    Later references are added to the index when they are embedded. If the build is stopped, run the
    command again.

    \b
        mirpipe db index                             build what is missing
        mirpipe db index --encoder clap --memory 4GB
        mirpipe db index --drop                      drop all search indexes
    """
    from mirpipe.db.engine import engine
    from mirpipe.db.search_index import build_search_index, drop_search_index, search_indexes

    with engine("owner").connect() as connection:
        indexes = search_indexes(connection)
    names = {found.encoder for found in indexes}
    if unknown := sorted(set(encoder or ()) - names):
        raise ConfigurationError(
            f"There are no vectors of {', '.join(unknown)}. Choose from: {', '.join(sorted(names))}"
        )
    for found in indexes:
        label = f"{found.encoder} {found.revision[:8]}"
        if encoder and found.encoder not in encoder:
            continue
        if drop and found.exists:
            drop_search_index(found)
            print(f"{label}: the index is dropped")
        elif drop:
            print(f"{label}: has no index")
        elif found.is_valid:
            print(f"{label}: has an index of {found.bytes / 1e6:,.0f} MB")
        elif not found.is_possible:
            print(f"{label}: not possible with {found.dimension:,} dimensions (at most 2,000)")
        elif not found.is_missing and not encoder:
            print(f"{label}: not needed for {found.reference_count:,} references")
        else:
            with progress_bar(f"{label}: vectors in the index") as progress:
                build_search_index(found, memory=memory, progress=progress)
            print(f"{label}: the index is built")
