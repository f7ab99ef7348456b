"""Says that tracks without audio are left out, and how to add their audio."""

import typer

from mirpipe.db import queries


def print_missing_audio(*collections: str) -> None:
    """Print to stderr how many usable tracks of these collections have no audio, if any."""
    if message := queries.missing_audio(queries.library_counts(), collections):
        typer.echo(message, err=True)
