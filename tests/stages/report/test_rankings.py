"""Which reports measure rankings, and which take over those of an earlier run."""

import json
from collections.abc import Callable

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from mirpipe.cli.main import app
from mirpipe.db.queries import ranking_measurement_sentences
from mirpipe.db.store.neighbour_lists import MAX_ENTRIES
from mirpipe.db.store.run_rankings import COPIED
from mirpipe.settings import settings
from mirpipe.stages.report import rankings, report
from mirpipe.stages.retrieve import retrieve
from tests.support.databases import Database
from tests.support.synthetic_library import SyntheticLibrary

TABLES = ("run_ranking", "run_hubness", "run_hub", "run_agreement", "run_csls", "run_answer")


@pytest.fixture
def other(fresh_database: Database) -> SyntheticLibrary:
    return SyntheticLibrary(fresh_database.app, name="other")


@pytest.fixture
def library(fresh_database: Database, other: SyntheticLibrary) -> SyntheticLibrary:
    """Three references and a target, with vectors by two encoders, and a first run."""
    library = SyntheticLibrary(fresh_database.app)
    names = {"east": [1, 0, 0], "north": [0, 1, 0], "up": [0, 0, 1]}
    for name, vector in names.items():
        track_id = library.add("reference", name, vector, labels={"genre": "folk"})
        other.set_vector(track_id, vector[::-1])
    target_id = library.add("target", "near east", [1, 0.1, 0], labels={"genre": "folk"})
    other.set_vector(target_id, [0.1, 1, 0])
    publish()
    return library


def publish(*, postpone_rankings: bool = True) -> int:
    """Run retrieve and report, and return the run id."""
    retrieve()
    return report(trigger="test", postpone_rankings=postpone_rankings).run_id


def results(library: SyntheticLibrary, run_id: int) -> dict[str, list[tuple]]:
    """Return all rows of a run about rankings, without the run id, by table."""
    return {
        table: library.rows(
            f"SELECT to_jsonb(t) - 'run_id' AS row FROM mirpipe.{table} t "
            "WHERE run_id = :run_id ORDER BY row",
            run_id=run_id,
        )
        for table in TABLES
    }


def measured_by(library: SyntheticLibrary) -> list[tuple]:
    return library.rows("SELECT run_id, rankings_run_id FROM mirpipe.run ORDER BY run_id")


def track_ids(library: SyntheticLibrary) -> list[int]:
    return [row[0] for row in library.rows("SELECT track_id FROM mirpipe.track ORDER BY 1")]


def change_title(library: SyntheticLibrary) -> None:
    library.execute("UPDATE mirpipe.track SET title = 'new' WHERE collection = 'target'")


def add_reference(library: SyntheticLibrary) -> None:
    library.add("reference", "north-east", [1, 1, 0], labels={"genre": "folk"})


def forbid_measurements(monkeypatch: pytest.MonkeyPatch) -> None:
    def measure(*_arguments: object) -> None:
        raise AssertionError("The rankings were measured.")

    monkeypatch.setattr(rankings, "insert_ranking_results", measure)


def test_a_change_that_rankings_do_not_depend_on_takes_them_over(
    library: SyntheticLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = results(library, 1)
    assert all(before.values())
    forbid_measurements(monkeypatch)
    change_title(library)
    assert publish() == 2
    assert results(library, 2) == before
    earlier = results(library, 1)
    assert earlier.pop("run_answer") == []
    assert earlier == {table: rows for table, rows in before.items() if table != "run_answer"}
    library.execute("UPDATE mirpipe.track SET title = 'newer' WHERE collection = 'target'")
    gone = library.add("reference", "gone", [1, 0, 0.5])
    library.set_state(gone, "gone")
    assert publish() == 3
    assert measured_by(library) == [(1, 1), (2, 1), (3, 1)]
    assert ranking_measurement_sentences() == ""


def add_album(library: SyntheticLibrary) -> None:
    library.execute('UPDATE mirpipe.track SET labels = labels || \'{"album": "one"}\'')


def lose_file(library: SyntheticLibrary) -> None:
    library.set_state(track_ids(library)[0], "gone")


def delete_vector(library: SyntheticLibrary) -> None:
    library.delete_vector(track_ids(library)[0])


def find_same_recording(library: SyntheticLibrary) -> None:
    first, *_, last = track_ids(library)
    library.add_same_recording(first, last)


@pytest.mark.parametrize(
    "change", [add_reference, add_album, lose_file, delete_vector, find_same_recording]
)
def test_a_change_of_the_library_measures_them_again(
    library: SyntheticLibrary, change: Callable[[SyntheticLibrary], None]
) -> None:
    change(library)
    assert publish() == 2
    assert measured_by(library) == [(1, 1), (2, 2)]


def test_a_reference_that_is_in_no_match_list_is_ranked_by_the_next_report(
    library: SyntheticLibrary, other: SyntheticLibrary
) -> None:
    for number in range(MAX_ENTRIES):
        library.add("reference", f"near {number}", [1, 0.1, number / 1000])
    far = library.add("reference", "far", [-1, 0, 0], labels={"genre": "folk"})
    library.delete_vector(far)
    publish()
    library.set_vector(far, [-1, 0, 0])
    retrieve()
    before = library.rows("TABLE mirpipe.served_neighbour")
    assert report(trigger="test").changed
    assert library.rows("TABLE mirpipe.served_neighbour") == before


def test_measurements_are_postponed_while_only_the_library_changes(
    library: SyntheticLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIRPIPE_RANKINGS_HOURS", "24")
    settings.cache_clear()
    before = results(library, 1)
    add_reference(library)
    assert publish() == 2
    assert results(library, 2) == before
    sentence = ranking_measurement_sentences()
    assert "are those of run 1" in sentence
    assert "by `mirpipe report --rankings`" in sentence
    assert sentence in " ".join(CliRunner().invoke(app, ["report"]).stdout.split())
    assert publish() == 2
    # A day later, the same state is published with new rankings.
    library.execute("UPDATE mirpipe.run SET finished_at = finished_at - interval '25 hours'")
    assert publish() == 3
    assert publish() == 3
    assert measured_by(library) == [(1, 1), (2, 1), (3, 3)]
    assert results(library, 3) != before
    assert ranking_measurement_sentences() == ""


def test_the_option_measures_postponed_rankings_at_once(
    library: SyntheticLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIRPIPE_RANKINGS_HOURS", "24")
    settings.cache_clear()
    add_reference(library)
    publish()
    for _ in range(2):
        result = CliRunner().invoke(app, ["report", "--rankings", "--json"])
        assert json.loads(result.stdout)["rankings_run_id"] == 3, result.output
    assert measured_by(library) == [(1, 1), (2, 1), (3, 3)]


@pytest.mark.parametrize("change", ["encoder", "setting"])
def test_new_encoders_and_settings_are_not_postponed(
    library: SyntheticLibrary, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    monkeypatch.setenv("MIRPIPE_RANKINGS_HOURS", "24")
    if change == "setting":
        monkeypatch.setenv("MIRPIPE_RANKED_TARGETS", "1")
    else:
        added = SyntheticLibrary(library.app, name="added")
        for track_id in track_ids(library):
            added.set_vector(track_id, [1, track_id, 0])
    settings.cache_clear()
    assert publish() == 2
    assert measured_by(library) == [(1, 1), (2, 2)]


def test_a_run_older_than_the_columns_is_confirmed(library: SyntheticLibrary) -> None:
    library.execute(
        "UPDATE mirpipe.run SET rankings_run_id = NULL, rankings_library_digest = NULL, "
        "rankings_method_digest = NULL"
    )
    assert publish() == 1
    assert ranking_measurement_sentences() == ""
    change_title(library)
    assert publish() == 2
    assert measured_by(library) == [(1, None), (2, 2)]


def test_copied_columns_are_all_columns(library: SyntheticLibrary) -> None:
    """A column that a later migration adds is copied too."""
    with library.app.connect() as connection:
        for table, columns in COPIED.items():
            stored = connection.execute(
                text(
                    "SELECT column_name FROM information_schema.columns "
                    "WHERE table_schema = 'mirpipe' AND table_name = :table"
                ),
                {"table": table},
            ).scalars()
            assert {"run_id", *columns.split(", ")} == set(stored)
