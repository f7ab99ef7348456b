"""Exit code of commands whose exit code 1 is a verdict, if they cannot write their file."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer

UNWRITABLE_EXIT_CODE = 3


@contextmanager
def exit_if_unwritable() -> Iterator[None]:
    """Print an UnwritableFile error, and end the command with UNWRITABLE_EXIT_CODE."""
    from mirpipe.operations.output_file import UnwritableFile

    try:
        yield
    except UnwritableFile as error:
        typer.echo(f"mirpipe: {error}", err=True)
        raise typer.Exit(UNWRITABLE_EXIT_CODE) from error
