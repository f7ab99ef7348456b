"""Each run stores a two-dimensional map of each encoder's vectors."""

from collections.abc import Sequence

import pytest
from sqlalchemy import text

from mirpipe.stages.report import report
from mirpipe.stages.retrieve import retrieve
from tests.support.databases import Database
from tests.support.synthetic_library import SyntheticLibrary

LINE = ([1, 0, 0], [1, 0.5, 0], [1, -0.5, 0], [1, 1.0, 0.1], [1, -1.0, -0.1])


@pytest.fixture
def library(fresh_database: Database) -> SyntheticLibrary:
    return SyntheticLibrary(fresh_database.app)


def fill_and_report(library: SyntheticLibrary, references: Sequence[Sequence[float]]) -> None:
    for number, vector in enumerate(references):
        name = f"r{number}"
        library.add("reference", name, vector, title=name, labels={"genre": "folk"})
    library.add("target", "t", [1, 0.1, 0], title="t")
    retrieve()
    report(trigger="test")


def points(library: SyntheticLibrary) -> dict[str, tuple[float, float]]:
    return {t: (x, y) for t, x, y in library.rows("SELECT track, x, y FROM mirpipe.v_map")}


def test_tracks_are_sorted_along_the_direction_in_which_they_differ_most(
    library: SyntheticLibrary,
) -> None:
    fill_and_report(library, LINE)
    positions = points(library)
    assert set(positions) == {"r0", "r1", "r2", "r3", "r4", "t"}
    order = sorted(positions, key=lambda name: positions[name][0])
    assert order in (["r4", "r2", "r0", "t", "r1", "r3"], ["r3", "r1", "t", "r0", "r2", "r4"])
    [(share, tracks)] = library.rows("SELECT spread_x, tracks_n FROM mirpipe.map")
    assert share > 0.9
    assert tracks == 6


def test_only_the_map_of_the_latest_run_is_kept(library: SyntheticLibrary) -> None:
    fill_and_report(library, LINE)
    library.add("reference", "new", [0, 1, 0], title="new")
    retrieve()
    report(trigger="test")
    assert library.rows("SELECT DISTINCT run_id FROM mirpipe.map_point") == library.rows(
        "SELECT max(run_id) FROM mirpipe.run"
    )
    assert "new" in points(library)


def test_two_references_have_no_map(library: SyntheticLibrary) -> None:
    fill_and_report(library, LINE[:2])
    assert points(library) == {}


def test_of_many_tracks_those_with_the_lowest_hashes_are_shown(
    library: SyntheticLibrary, fresh_database: Database
) -> None:
    fill_and_report(library, LINE)
    with fresh_database.app.begin() as connection:
        connection.execute(
            text("""
                INSERT INTO mirpipe.track
                    (collection, content_sha256, title, seconds, rms_dbfs, state)
                SELECT 'target', sha256(CAST(CAST(i AS text) AS bytea)), 'many', 1, -20, 'ok'
                FROM generate_series(1, 1100) i
            """)
        )
        connection.execute(
            text(f"""
                INSERT INTO mirpipe.embedding
                SELECT {library.encoder_id}, track_id, 'target', {library.batch_id}, '[1,0,0]'
                FROM mirpipe.track WHERE title = 'many'
            """)
        )
    retrieve()
    report(trigger="test")
    shown = library.rows(
        "SELECT content_sha256 FROM mirpipe.v_map JOIN mirpipe.track USING (track_id) "
        "WHERE track.collection = 'target' ORDER BY 1"
    )
    lowest = library.rows(
        "SELECT content_sha256 FROM mirpipe.track WHERE collection = 'target' ORDER BY 1 LIMIT 1000"
    )
    assert [bytes(row[0]) for row in shown] == [bytes(row[0]) for row in lowest]
    assert library.rows("SELECT tracks_n FROM mirpipe.map") == [(1106,)]
