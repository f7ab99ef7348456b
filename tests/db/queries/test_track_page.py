"""What the page of a single track shows: address, files, matched targets, recordings, history."""

import pytest

from mirpipe.db import queries
from mirpipe.stages.report import report
from mirpipe.stages.retrieve import retrieve
from tests.support.databases import Database
from tests.support.synthetic_library import SyntheticLibrary, sha256


@pytest.fixture
def library(fresh_database: Database) -> SyntheticLibrary:
    """Return a library with two encoders, three references and a target, and one run."""
    made = SyntheticLibrary(fresh_database.app)
    other = SyntheticLibrary(fresh_database.app, name="other")
    for collection, title, vector in (
        ("reference", "east", [1, 0, 0]),
        ("reference", "north", [0, 1, 0]),
        ("reference", "up", [0, 0.1, 1]),
        ("target", "near north", [0.1, 1, 0]),
    ):
        other.set_vector(made.add(collection, title, vector), vector)
    retrieve()
    report(trigger="test")
    return made


def track_id(library: SyntheticLibrary, title: str, collection: str = "reference") -> int:
    rows = library.rows(
        "SELECT track_id FROM mirpipe.track WHERE title = :title AND collection = :collection",
        title=title,
        collection=collection,
    )
    return int(rows[0][0])


def test_a_track_is_found_by_the_first_digits_of_its_content_hash(
    library: SyntheticLibrary,
) -> None:
    digits = sha256("north").hex()
    for given in (digits, digits[:16], digits[:9]):
        (found,) = queries.tracks_by_hash(given)
        assert (found.title, found.content_sha256) == ("north", digits)
    for given in ("", digits[:7], digits[:15] + "g", digits.upper(), digits + "0"):
        assert queries.tracks_by_hash(given) == []


def test_equal_audio_in_two_collections_is_found_target_first(library: SyntheticLibrary) -> None:
    library.add("target", "north", title="the same")
    found = queries.tracks_by_hash(sha256("north").hex()[:16])
    assert [(track.collection, track.title) for track in found] == [
        ("target", "the same"),
        ("reference", "north"),
    ]


def test_an_address_survives_new_tags(library: SyntheticLibrary) -> None:
    north = track_id(library, "north")
    before = queries.track_addresses([north, None, -1])
    library.execute("UPDATE mirpipe.track SET title = 'N', labels = '{}' WHERE title = 'north'")
    assert queries.track_addresses([north]) == before
    assert before[north].collection == "reference"
    assert before[north].content_sha256 == sha256("north").hex()


def test_a_reference_lists_the_targets_that_it_matches_with_a_rank_per_encoder(
    library: SyntheticLibrary,
) -> None:
    (north,) = queries.matched_targets(track_id(library, "north"))
    assert (north.target, north.ranks) == ("near north", {"made_up": 1, "other": 1})
    library.add("target", "second", [0, 1, 0.1], title="near north", labels={"artist": "Ann"})
    retrieve()
    report(trigger="test")
    both = queries.matched_targets(track_id(library, "north"))
    assert {row.target for row in both} == {"near north", "near north (Ann)"}
    (first,) = queries.matched_targets(track_id(library, "north"), limit=1)
    assert first.targets_n == 2
    assert queries.matched_targets(track_id(library, "near north", "target")) == []


def test_files_that_exist_come_before_files_that_are_gone(library: SyntheticLibrary) -> None:
    north = track_id(library, "north")
    library.execute("UPDATE mirpipe.track_file SET gone_at = now() WHERE track_id = :id", id=north)
    library.execute(
        "INSERT INTO mirpipe.track_file (collection, path, path_text, track_id, bytes, mtime_ns) "
        "VALUES ('reference', 'z', 'z', :id, 1, 1)",
        id=north,
    )
    files = queries.track_files(north)
    assert [(file.path, file.gone_at is None) for file in files] == [("z", True), ("north", False)]


def test_same_recordings_are_listed_from_both_sides(library: SyntheticLibrary) -> None:
    north, up = track_id(library, "north"), track_id(library, "up")
    library.add_same_recording(north, up)
    assert [row.title for row in queries.recordings_of_track(north)] == ["up"]
    assert [row.title for row in queries.recordings_of_track(up)] == ["north"]
    assert queries.recordings_of_track(track_id(library, "east")) == []


def events(of: int) -> set[tuple[str, str, str, str | None]]:
    history = queries.track_history(of)
    assert history == sorted(history, key=lambda event: event.at, reverse=True)
    return {(event.event, event.encoder, event.detail, event.other) for event in history}


def test_the_history_tells_how_best_matches_changed(library: SyntheticLibrary) -> None:
    target, north = track_id(library, "near north", "target"), track_id(library, "north")
    library.set_state(north, "gone")
    library.execute("UPDATE mirpipe.track_file SET gone_at = now() WHERE track_id = :id", id=north)
    retrieve()
    report(trigger="test")
    assert events(north) == {
        ("added", "", "", None),
        ("file read", "", "north", None),
        ("file gone", "", "north", None),
        ("gone", "", "", None),
        *(
            (event, encoder, cause, "near north")
            for encoder in ("made_up", "other")
            for event, cause in (
                ("is best match of", "first match"),
                ("is no longer best match of", "removed reference"),
            )
        ),
    }
    matched = {event for event in events(target) if event[0] == "has best match"}
    assert matched == {
        ("has best match", encoder, cause, title)
        for encoder in ("made_up", "other")
        for cause, title in (("first match", "north"), ("removed reference", "east"))
    }


def test_the_history_tells_earlier_titles_but_no_changed_cosines(
    library: SyntheticLibrary,
) -> None:
    library.set_vector(track_id(library, "north"), [0.2, 1, 0])
    library.execute("UPDATE mirpipe.track SET title = 'N' WHERE title = 'north'")
    retrieve()
    report(trigger="test")
    known = events(track_id(library, "N"))
    assert ("retagged", "", "north", None) in known
    assert {event[2] for event in known if event[0] == "is best match of"} == {"first match"}
