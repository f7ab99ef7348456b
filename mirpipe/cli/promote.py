"""`mirpipe promote`: shows the results of another revision of a plug-in."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from mirpipe.cli.command_arguments import AsJson
from mirpipe.errors import ConfigurationError


def promote(
    revision: Annotated[
        str,
        typer.Argument(
            metavar="REVISION",
            help="Plug-in, such as clap, for its configured revision; or a revision: clap@3f2a.",
        ),
    ],
    incomplete: Annotated[
        bool,
        typer.Option(
            "--incomplete", help="Also accept a revision without all vectors, or all clips."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make a revision of a plug-in active, and publish a run.

    The plug-in is an encoder, a captioner or a generator. By default, a new revision becomes active
    by itself when it is complete. With MIRPIPE_PROMOTION=manual, it waits for this command. An
    earlier revision can be made active again until its vectors or clips are deleted. `mirpipe
    compare` says what changes.

    Example:

    \b
        mirpipe compare clap
        mirpipe promote clap
    """
    from mirpipe.operations.promote import promote as operation

    try:
        result = operation(revision, incomplete=incomplete)
    except ConfigurationError as error:
        raise typer.BadParameter(str(error)) from None
    if as_json:
        print(json.dumps(asdict(result)))
    elif result.previous == result.revision:
        print(f"{result.plugin}@{result.revision[:8]} was active already (run {result.run_id})")
    elif result.published:
        print(f"{result.plugin}@{result.revision[:8]} is active, published as run {result.run_id}")
    else:
        print(
            f"{result.plugin}@{result.revision[:8]} is active. All results are the same as in run "
            f"{result.run_id}"
        )
