"""`mirpipe verify`: whether what is kept for speed is still what the vectors say."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from mirpipe.db.engine import engine


def verify(
    digest: Annotated[
        bool,
        typer.Option(
            "--digest", help="Print one SHA-256 of all content instead; equal content, equal hash."
        ),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print differences, or the digest by table, as JSON.")
    ] = False,
) -> None:
    """Rebuild lists and sums from the vectors, compare, and exit 1 where anything differs.

    The digest leaves out ids, times and folders: a run that was killed and resumed has the digest
    of an undisturbed one.
    """
    snapshot = engine("app").connect().execution_options(isolation_level="REPEATABLE READ")
    with snapshot as connection, connection.begin():
        if digest:
            from mirpipe.db.store.content_digest import combined, digests

            tables = digests(connection)
            whole = combined(tables)
            print(json.dumps({"digest": whole, "tables": tables}) if as_json else whole)
            return
        from mirpipe.db.store.recompute_and_compare import differences

        found = list(differences(connection))
    if as_json:
        print(json.dumps({"differences": [asdict(one) for one in found]}))
    else:
        for one in found:
            print(f"{one.check}: {one.message}")
        if not found:
            print("all as it ought to be")
    raise typer.Exit(1 if found else 0)
