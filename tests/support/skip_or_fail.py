"""What becomes of a test that lacks a program."""

import os
from typing import NoReturn

import pytest

IS_CI = os.environ.get("CI") == "true"
"""Nothing may be skipped."""


def lacks(what: str) -> NoReturn:
    """Skips the test, which lacks `what`; with CI=true, fails it."""
    if IS_CI:
        pytest.fail(f"CI=true: nothing may be skipped, and {what}")
    pytest.skip(what)
