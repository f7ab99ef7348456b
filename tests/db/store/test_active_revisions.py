"""A new revision becomes active when it is complete and covers enough of the library."""

from collections.abc import Callable

import pytest

from mirpipe.db import queries
from mirpipe.db.store import failure_ledger
from mirpipe.db.store.active_revisions import activate_complete_revisions
from mirpipe.stages.retrieve import retrieve
from tests.support.databases import Database
from tests.support.synthetic_library import SyntheticLibrary

TRACKS = 40

Library = tuple[Database, SyntheticLibrary, list[int]]


@pytest.fixture
def library(fresh_database: Database) -> Library:
    """Return a library with the active revision r1, and with the new revision r2 configured."""
    rows = SyntheticLibrary(fresh_database.app)
    tracks = [rows.add("target" if n % 2 else "reference", n, [1, n, 0.5]) for n in range(TRACKS)]
    assert _active_revision(fresh_database) == "r1"
    rows.register("r2")
    return fresh_database, rows, tracks


def _active_revision(database: Database) -> str:
    retrieve()
    with database.app.begin() as connection:
        activate_complete_revisions(connection)
    (revision,) = [row.revision for row in queries.encoder_revisions() if row.serving]
    return revision


def _embed_and_fail(library: Library, *, vectors: int, retry: Callable[[int], bool]) -> str:
    """Store this number of vectors, record a failure for every other track, and activate."""
    database, rows, tracks = library
    for n, track_id in enumerate(tracks[:vectors]):
        rows.set_vector(track_id, [1, n, 0.5])
    with database.app.begin() as connection:
        for n, track_id in enumerate(tracks[vectors:]):
            failure_ledger.record(
                connection,
                stage="embed",
                revision="r2",
                subject=str(track_id),
                track_id=track_id,
                reason="OutOfMemoryError" if retry(n) else "too_short",
                message="",
                retry=retry(n),
            )
    return _active_revision(database)


def test_failures_that_will_be_tried_again_do_not_count_as_done(library: Library) -> None:
    assert _embed_and_fail(library, vectors=2, retry=lambda _n: True) == "r1"


def test_one_track_that_will_be_tried_again_keeps_the_old_revision_active(
    library: Library,
) -> None:
    assert _embed_and_fail(library, vectors=TRACKS - 1, retry=lambda _n: True) == "r1"


def test_a_complete_revision_with_few_rejected_tracks_becomes_active(library: Library) -> None:
    assert _embed_and_fail(library, vectors=TRACKS - 2, retry=lambda _n: False) == "r2"


def test_a_complete_revision_that_rejects_many_tracks_does_not_become_active(
    library: Library,
) -> None:
    assert _embed_and_fail(library, vectors=TRACKS - 3, retry=lambda _n: False) == "r1"
    coverage = {row.revision: row.coverage for row in queries.encoder_revisions()}
    assert coverage == {"r1": 1.0, "r2": (TRACKS - 3) / TRACKS}


def test_a_revision_that_covers_as_many_tracks_as_the_active_one_becomes_active(
    library: Library,
) -> None:
    database, rows, tracks = library
    for track_id in tracks[-10:]:
        rows.execute(
            "DELETE FROM mirpipe.embedding e USING mirpipe.encoder n "
            "WHERE e.encoder_id = n.encoder_id AND n.revision = 'r1' AND track_id = :track_id",
            track_id=track_id,
        )
    assert _embed_and_fail(library, vectors=TRACKS - 11, retry=lambda _n: False) == "r1"
    rows.set_vector(tracks[-11], [1, 0, 0.5])
    assert _active_revision(database) == "r2"


def test_without_usable_tracks_there_is_no_coverage(library: Library) -> None:
    _, rows, tracks = library
    for track_id in tracks:
        rows.set_state(track_id, "gone")
    assert [row.coverage for row in queries.encoder_revisions()] == [None, None]
