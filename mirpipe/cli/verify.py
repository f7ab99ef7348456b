"""`mirpipe verify`: recomputes stored lists and sums from the vectors, and compares them."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from mirpipe.cli.command_arguments import AsJson
from mirpipe.db.snapshot import open_snapshot


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

    The database stores neighbour lists and sums, so that queries do not have to compute them. This
    command computes the lists and sums again and prints every difference.

    The hash that --digest prints does not include ids, times and folders, so a run that was stopped
    and resumed has the same hash as a run without interruption.

    Exit codes:

    \b
        0  all checks passed
        1  there is a difference
    """
    with open_snapshot("app") as connection:
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
