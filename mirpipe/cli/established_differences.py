"""What the latest run establishes and what it does not, in sentences."""

from typing import IO

from mirpipe.db import queries
from mirpipe.db.queries import comparison_sentences, encoder_comparison


def print_findings(file: IO[str] | None = None) -> None:
    """Print which differences between encoders, and between modes, are more than chance."""
    said = [
        *comparison_sentences.findings(encoder_comparison.comparisons()),
        *comparison_sentences.findings(queries.generation_deltas()),
    ]
    if said:
        print("Which differences are established?", file=file)
        print("(paired over targets, sign-flip tests, Holm-corrected p < 0.05)", file=file)
        for one in said:
            print(f"- {one}", file=file)
