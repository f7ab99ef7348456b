"""Ranges of track ids contain exactly the ids, and are small for a new library."""

import json

from hypothesis import given
from hypothesis import strategies as st

from mirpipe.orchestration.track_ranges import ids_in, to_ranges


@given(st.sets(st.integers(1, 50)))
def test_ranges_contain_exactly_the_ids(track_ids: set[int]) -> None:
    ranges = json.loads(json.dumps(to_ranges(track_ids)))
    assert ids_in(ranges) == sorted(track_ids)
    assert ranges["tracks"] == len(track_ids)


def test_a_million_ids_of_a_new_library_are_one_range() -> None:
    assert to_ranges(range(1, 1_000_001)) == {"ranges": [[1, 1_000_000]], "tracks": 1_000_000}
