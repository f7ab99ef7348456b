"""Tracks with equal titles are told apart wherever they are listed."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirpipe.db import queries
from mirpipe.db.queries.find_tracks import target_id_by_name
from mirpipe.db.queries.track_names import NamedTrack, distinct_names
from mirpipe.errors import ConfigurationError
from mirpipe.stages.report import report
from mirpipe.stages.retrieve import retrieve
from tests.support.databases import Database
from tests.support.synthetic_library import SyntheticLibrary


def names(*tracks: tuple[str, str, str, str]) -> list[str]:
    """Return the names of tracks from title, artist, album and path."""
    named = [NamedTrack(n, *track, "reference", f"{n:064x}") for n, track in enumerate(tracks)]
    return list(distinct_names(named).values())


@pytest.mark.parametrize(
    ("tracks", "expected"),
    [
        ([("A", "Ann", "X", "/a"), ("B", "Ann", "X", "/b")], ["A", "B"]),
        ([("A", "Ann", "X", "/a"), ("A", "Bo", "X", "/b")], ["A (Ann)", "A (Bo)"]),
        ([("A", "Ann", "X", "/a"), ("A", "", "X", "/b")], ["A (Ann)", "A"]),
        ([("A", "Ann", "X", "/a"), ("A", "Ann", "Y", "/b")], ["A (X)", "A (Y)"]),
        (
            [("A", "Ann", "X", "/a"), ("A", "Ann", "Y", "/b"), ("A", "Bo", "Y", "/c")],
            ["A (Ann, X)", "A (Ann, Y)", "A (Bo, Y)"],
        ),
        (
            [("A", "Ann", "X", "/m/1/a.mp3"), ("A", "Ann", "X", "/m/2/a.mp3")],
            ["A (Ann, 1/a.mp3)", "A (Ann, 2/a.mp3)"],
        ),
        ([("A", "", "", "/m/a.mp3"), ("A", "", "", "/m/b.mp3")], ["A (a.mp3)", "A (b.mp3)"]),
        (
            [("A", "", "", ""), ("A", "", "", "")],
            ["A (reference, 000000)", "A (reference, 000000)"],
        ),
    ],
)
def test_the_first_text_that_tells_all_apart_is_appended(
    tracks: list[tuple[str, str, str, str]], expected: list[str]
) -> None:
    assert names(*tracks) == expected


TEXTS = st.sampled_from(["", "x", "y"])


@given(
    st.lists(st.tuples(TEXTS, TEXTS, TEXTS, st.sampled_from(["", "/x", "/y"])), max_size=8),
)
def test_names_of_different_tracks_with_equal_titles_differ(
    tracks: list[tuple[str, str, str, str]],
) -> None:
    named = [
        NamedTrack(n, "A", *track[1:], "target", f"{n:06x}" + 58 * "0")
        for n, track in enumerate(tracks)
    ]
    assert len(set(distinct_names(named).values())) == len(tracks)


@pytest.fixture
def library(fresh_database: Database) -> SyntheticLibrary:
    """Publish a run with two targets and two references that are all called Intro."""
    for encoder in ("first", "second"):
        library = SyntheticLibrary(fresh_database.app, name=encoder)
        if encoder == "first":
            ids = [
                library.add(collection, f"/{collection}/{n}", title="Intro", labels={"artist": n})
                for collection in ("target", "reference")
                for n in ("Ann", "Bo")
            ]
        for track_id, vector in zip(
            ids, ([1, 0, 0], [0, 1, 0], [1, 0.1, 0], [0.1, 1, 0]), strict=True
        ):
            library.set_vector(track_id, vector)
    retrieve()
    report(trigger="test")
    return library


LISTS: dict[str, Callable[[], set[str | None]]] = {
    "targets": lambda: {row.title for row in queries.targets()},
    "best_matches": lambda: {row.target for row in queries.best_matches()},
    "best_match_scores": lambda: {row.target for row in queries.best_match_scores()},
    "fused_matches": lambda: {row.reference for row in queries.fused_matches()},
    "reranked_matches": lambda: {row.reference for row in queries.reranked_matches()},
    "hubs": lambda: {row.reference for row in queries.hubs()},
    "best_match_changes": lambda: {row.target for row in queries.best_match_changes(1)},
    "matches": lambda: {row.reference for row in queries.matches(queries.targets()[0].track_id)},
}


def test_every_list_tells_equal_titles_apart(library: SyntheticLibrary) -> None:
    for name, titles_of in LISTS.items():
        titles = titles_of()
        assert len(titles) == 2, name
        assert all(title and title.startswith("Intro (") for title in titles), name
    with pytest.raises(ConfigurationError, match=r"(?s)matches 2 targets.*Intro \(Ann\).*\(Bo\)"):
        target_id_by_name("Intro")
