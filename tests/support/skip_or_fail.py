"""Skips a test if a required program is missing; with CI=true, the test fails instead."""

import os
from typing import NoReturn

import pytest

IS_CI = os.environ.get("CI") == "true"
"""Whether the tests run in CI, where no test is allowed to be skipped."""


def skip_or_fail(reason: str) -> NoReturn:
    """Skip the running test for this reason; with CI=true, fail the test instead."""
    if IS_CI:
        pytest.fail(f"CI=true, so this test must not be skipped: {reason}")
    pytest.skip(reason)
