"""Tests of all installed plug-ins in a second process: same bytes, no network, flat memory."""

from pathlib import Path

import pytest

from tests.plugins.contract.conftest import OfflineResult
from tests.plugins.contract.installed_plugins import KINDS
from tests.plugins.contract.offline_process import ALL_INSTALLED, digest

NAMES = [name for _, name in ALL_INSTALLED]
FLAT_MEGABYTES = 16
"""Accuracy of a memory peak, in MB. Keeping all samples of the long track would add 27 to 35 MB."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.mark.parametrize(("kind", "name"), ALL_INSTALLED, ids=NAMES)
def test_another_process_without_a_network_returns_the_same_bytes(
    kind: str, name: str, random_weights: Path, offline_results: dict[str, OfflineResult]
) -> None:
    assert digest(kind, name) == offline_results[name]["sha256"]


@pytest.mark.parametrize("name", NAMES)
def test_it_prints_nothing_and_does_not_change_arguments_and_paths(
    name: str, offline_results: dict[str, OfflineResult]
) -> None:
    result = offline_results[name]
    assert (result["stdout"], result["stderr"]) == ("", "")
    assert result["arguments_and_paths_kept"]


@pytest.mark.parametrize("name", [name for kind, name in ALL_INSTALLED if kind in KINDS])
def test_a_long_track_needs_no_more_memory_than_a_minute(
    name: str, offline_results: dict[str, OfflineResult]
) -> None:
    one_minute, long = offline_results[name]["peaks"]
    assert long < one_minute + FLAT_MEGABYTES
