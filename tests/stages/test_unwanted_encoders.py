"""Encoders that are not maintained queue no changes, and catch up exactly when wanted again."""

import threading

import pytest
from sqlalchemy import text

from mirpipe.db.store.recompute_and_compare import differences
from mirpipe.operations.prune import prune
from mirpipe.settings import settings
from mirpipe.stages.report import report
from mirpipe.stages.retrieve import retrieve
from tests.support.databases import Database
from tests.support.synthetic_library import SyntheticLibrary
from tests.support.waiting import eventually, sessions_waiting

Tracks = dict[str, int]


@pytest.fixture
def library(fresh_database: Database) -> SyntheticLibrary:
    return SyntheticLibrary(fresh_database.app)


@pytest.fixture
def tracks(library: SyntheticLibrary) -> Tracks:
    """Add references and targets, of which `back` is gone, and replace the encoder's revision."""
    found = {f"r{n}": library.add("reference", f"r{n}", [1, n, n * n]) for n in range(12)}
    found |= {f"t{n}": library.add("target", f"t{n}", [n, 1, 2]) for n in range(3)}
    found["back"] = library.add("reference", "back", [1, 1, 1])
    library.set_state(found["back"], "gone")
    retrieve()
    report(trigger="test")
    library.register("r2")
    for track_id in found.values():
        library.set_vector(track_id, [1, 2, 3])
    retrieve()
    report(trigger="test")
    return found


def change_states(library: SyntheticLibrary, tracks: Tracks) -> None:
    """Remove two references and a target, and bring a reference back."""
    for name in ("r1", "r2", "t0"):
        library.set_state(tracks[name], "gone")
    library.set_state(tracks["back"], "ok")


def queued(library: SyntheticLibrary, revision: str) -> set[int]:
    rows = library.rows(
        "SELECT track_id FROM mirpipe.embedding_change JOIN mirpipe.encoder USING (encoder_id) "
        "WHERE revision = :revision",
        revision=revision,
    )
    return {track_id for (track_id,) in rows}


def found_differences(library: SyntheticLibrary) -> list[str]:
    """Return the differences in the lists, the sums and the queue."""
    with library.app.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        return [
            difference.message
            for difference in differences(connection)
            if difference.check not in ("files", "served")
        ]


def test_only_maintained_encoders_queue_changes_of_tracks(
    library: SyntheticLibrary, tracks: Tracks
) -> None:
    change_states(library, tracks)
    assert queued(library, "r1") == set()
    assert queued(library, "r2") == {tracks[name] for name in ("r1", "r2", "t0", "back")}


def test_an_active_encoder_queues_changes_although_it_is_not_configured(
    library: SyntheticLibrary, tracks: Tracks
) -> None:
    library.register("r3")
    library.set_state(tracks["r1"], "gone")
    assert queued(library, "r2") == queued(library, "r3") == {tracks["r1"]}


def test_an_encoder_that_is_configured_again_catches_up_exactly(
    library: SyntheticLibrary, tracks: Tracks
) -> None:
    change_states(library, tracks)
    library.set_state(tracks["r3"], "gone")
    library.set_state(tracks["r3"], "ok")  # This track is in the lists and stays there.
    library.set_vector(library.add("reference", "new"), [3, 2, 1])
    library.register("r1")
    assert queued(library, "r1") == {tracks[name] for name in ("r1", "r2", "t0", "back")}
    new = library.add("reference", "newer", [2, 2, 2])
    assert queued(library, "r1") == {tracks[name] for name in ("r1", "r2", "t0", "back")} | {new}
    [result] = [result for result in retrieve() if result.revision == "r1"]
    assert result.changed == 5
    assert found_differences(library) == []
    library.register("r2")
    library.register("r1")
    assert queued(library, "r1") == set()


def test_a_change_that_is_not_committed_yet_is_queued_when_the_encoder_is_configured_again(
    library: SyntheticLibrary, tracks: Tracks
) -> None:
    registration = threading.Thread(target=library.register, args=("r1",))
    with library.app.begin() as connection:
        connection.execute(
            text("UPDATE mirpipe.track SET state = 'gone' WHERE track_id = :track_id"),
            {"track_id": tracks["r5"]},
        )
        registration.start()
        eventually(lambda: sessions_waiting(library.app) == 1)
    registration.join()
    assert tracks["r5"] in queued(library, "r1")


def test_the_vector_of_a_removed_track_is_kept_while_it_is_in_lists(
    library: SyntheticLibrary, tracks: Tracks
) -> None:
    change_states(library, tracks)
    retrieve()
    library.execute("UPDATE mirpipe.track SET changed_at = now() - interval '99 years'")
    prune(settings())
    library.register("r1")
    retrieve(["made_up"])
    assert found_differences(library) == []
