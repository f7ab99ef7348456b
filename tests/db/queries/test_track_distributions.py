"""How the tracks of a filter are distributed over labels, keys, tempos and lengths."""

import pytest

from mirpipe.db.queries.track_distributions import MAX_GROUPS, track_distributions
from mirpipe.db.queries.track_list import TrackFilter
from tests.support.databases import Database
from tests.support.synthetic_library import SyntheticLibrary

SECONDS = (9.9, 10.0, 400.0, 59.0, 5000.0, 45.0)
TEMPOS = (119.9, 120.0, 80.0)


@pytest.fixture
def library(fresh_database: Database) -> SyntheticLibrary:
    """Return a library with one track for each length; the first ones have a tempo."""
    made = SyntheticLibrary(fresh_database.app)
    for number, seconds in enumerate(SECONDS):
        genre = "jazz" if number < 2 else ""
        made.add("reference", f"/{number}.flac", title=f"t{number}", labels={"genre": genre})
        made.execute(f"UPDATE mirpipe.track SET seconds = {seconds} WHERE title = 't{number}'")
    made.execute("INSERT INTO mirpipe.metric (name, revision, spec) VALUES ('features', '1', '{}')")
    for number, tempo in enumerate(TEMPOS):
        made.execute(f"""
            INSERT INTO mirpipe.track_feature (metric_id, track_id, tempo_bpm, key, beat_seconds,
                voiced_fraction, notes, onsets_per_second, brightness_hz, reasons)
            SELECT metric_id, track_id, {tempo}, 'A minor', '{{}}', 1, '', 1, 1, '{{}}'
            FROM mirpipe.metric, mirpipe.track WHERE title = 't{number}'""")
    return made


def groups(measure: str, **chosen: str) -> list[tuple[str, int]]:
    found = track_distributions(TrackFilter(**chosen))
    return [(group.value, group.tracks) for group in found if group.measure == measure]


@pytest.mark.usefixtures("library")
def test_ranges_are_sorted_by_value_and_contain_their_start() -> None:
    assert groups("length") == [
        ("under 10 s", 1),
        ("10 to 30 s", 1),
        ("30 s to 1 min", 2),
        ("5 to 10 min", 1),
        ("over 20 min", 1),
    ]
    assert groups("tempo") == [("80 to 100 BPM", 1), ("100 to 120 BPM", 1), ("120 to 140 BPM", 1)]


@pytest.mark.usefixtures("library")
def test_only_the_tracks_of_the_filter_with_a_value_are_counted() -> None:
    assert groups("genre") == [("jazz", 2)]
    assert groups("instrument") == []
    assert groups("key") == [("A minor", 3)]
    assert groups("key", search="t0") == [("A minor", 1)]


def test_the_most_frequent_labels_are_returned(library: SyntheticLibrary) -> None:
    for number in range(MAX_GROUPS + 2):
        library.add("target", f"/x{number}", title=f"x{number}", labels={"genre": f"g{number:02}"})
    found = groups("genre")
    assert found[:2] == [("jazz", 2), ("g00", 1)]
    assert len(found) == MAX_GROUPS
