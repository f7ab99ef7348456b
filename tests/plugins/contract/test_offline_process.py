"""What every plug-in of this machine does in another process: the same, alone, in flat memory."""

from pathlib import Path

import pytest

from tests.plugins.contract.conftest import Elsewhere
from tests.plugins.contract.installed_plugins import KINDS
from tests.plugins.contract.offline_process import EVERYTHING, digest

NAMES = [name for _, name in EVERYTHING]
FLAT_MEGABYTES = 16
"""The allocator is this exact; the longer file adds 27 to 35 MB of samples."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.mark.parametrize(("kind", "name"), EVERYTHING, ids=NAMES)
def test_another_process_without_a_network_returns_the_same_bytes(
    kind: str, name: str, random_weights: Path, elsewhere: dict[str, Elsewhere]
) -> None:
    assert digest(kind, name) == elsewhere[name]["sha256"]


@pytest.mark.parametrize("name", NAMES)
def test_it_prints_nothing_and_leaves_arguments_and_paths_alone(
    name: str, elsewhere: dict[str, Elsewhere]
) -> None:
    assert (elsewhere[name]["stdout"], elsewhere[name]["stderr"]) == ("", "")
    assert elsewhere[name]["arguments_and_paths_kept"]


@pytest.mark.parametrize("name", [name for kind, name in EVERYTHING if kind in KINDS])
def test_a_long_track_takes_no_more_memory_than_a_minute(
    name: str, elsewhere: dict[str, Elsewhere]
) -> None:
    one_minute, long = elsewhere[name]["peaks"]
    assert long < one_minute + FLAT_MEGABYTES
