"""What the latest run establishes and what it does not, in sentences."""

from typing import IO

from mirpipe.db import reports
from mirpipe.db.reports import retrieval, words


def print_findings(file: IO[str] | None = None) -> None:
    """Print which differences between encoders, and between modes, are more than chance."""
    said = [
        *words.findings(retrieval.comparisons()),
        *words.findings(reports.generation_deltas()),
    ]
    if said:
        print("Which differences are established?", file=file)
        print("(paired over targets, sign-flip tests, Holm-corrected p < 0.05)", file=file)
        for one in said:
            print(f"- {one}", file=file)
