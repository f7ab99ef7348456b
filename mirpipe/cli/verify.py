"""`mirpipe verify`: recomputes stored lists and sums from the vectors, and compares them."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from mirpipe.cli.command_arguments import AsJson
from mirpipe.db.engine import engine


def verify(
    digest: Annotated[
        bool,
        typer.Option(
            "--digest",
            help="Print one SHA-256 of all content instead. Equal content gives an equal hash.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check stored results against the vectors.

    The database stores neighbour lists and sums, so that they need not be computed for every query.
    This command computes them again and prints every difference.

    The hash of --digest does not include ids, times and folders. So a run that was stopped and
    resumed has the same hash as a run without interruption.

    Exit codes:

    \b
        0  all checks passed
        1  there is a difference
    """
    snapshot = engine("app").connect().execution_options(isolation_level="REPEATABLE READ")
    with snapshot as connection, connection.begin():
        if digest:
            from mirpipe.db.store.content_digest import combined, digests

            digest_by_table = digests(connection)
            total = combined(digest_by_table)
            result = {"digest": total, "tables": digest_by_table}
            print(json.dumps(result) if as_json else total)
            return
        from mirpipe.db.store.recompute_and_compare import differences

        found = list(differences(connection))
    if as_json:
        print(json.dumps({"differences": [asdict(difference) for difference in found]}))
    else:
        for difference in found:
            print(f"{difference.check}: {difference.message}")
        if not found:
            print("all checks passed")
    raise typer.Exit(1 if found else 0)
