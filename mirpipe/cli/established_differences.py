"""Prints which differences in the latest run are established, and which are not."""

from typing import IO

from mirpipe.cli.terminal_text import wide_console
from mirpipe.db import queries
from mirpipe.db.queries.comparison_sentences import summary_sentences


def print_established_differences(file: IO[str] | None = None) -> None:
    """Print one sentence for each comparison between encoders and between modes.

    Prints nothing if the latest run compared nothing. If `file` is None, the sentences are printed
    to stdout.
    """
    sentences = [
        *summary_sentences(queries.encoder_comparisons()),
        *summary_sentences(queries.mode_comparisons()),
    ]
    if not sentences:
        return
    console = wide_console(file)
    console.print("Which differences are established?")
    console.print("(declared contrasts, sign-flip tests over targets, corrected p < 0.05)")
    for sentence in sentences:
        console.print(f"- {sentence}", markup=False, highlight=False)
