"""Prints a stage's counts, and derives the exit code of the command from the counts."""

import json
from collections.abc import Mapping


def print_counts(counts: Mapping[str, int], *, as_json: bool) -> None:
    """Print the counts as text on one line, or as one JSON object."""
    text = ", ".join(f"{name} {value}" for name, value in counts.items())
    print(json.dumps(dict(counts)) if as_json else text)


def exit_code(counts: Mapping[str, int], *, is_incomplete: bool = False) -> int:
    """Return 1 if something failed or `is_incomplete`, 3 if input was rejected, otherwise 0.

    `is_incomplete` is true if some work was left out, for example because a model is unavailable.
    """
    if counts["failed"] or is_incomplete:
        return 1
    return 3 if counts["rejected"] else 0
