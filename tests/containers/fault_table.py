"""Prints, after the tests, each fault with the effect that was seen and the digest after it."""

from collections.abc import Sequence

import pytest

_ROWS = pytest.StashKey[list[str]]()


def add_row(config: pytest.Config, fault: str, effects: Sequence[str], digest: str) -> None:
    """Add a fault to the table. `digest` is the hash of all results after it."""
    row = f"{fault}: {'; '.join(effects)}. Digest {digest}"
    config.stash.setdefault(_ROWS, []).append(row)


def print_table(config: pytest.Config, reporter: pytest.TerminalReporter) -> None:
    """Print the table if it has rows."""
    if rows := config.stash.get(_ROWS, []):
        reporter.section("faults, and the digests of the results after them")
        for row in rows:
            reporter.write_line(row)
