"""The scores of a metric's old revision are shown until the new revision has all of them."""

from dataclasses import replace

import pytest

from mirpipe.db.store import pair_scores
from mirpipe.db.store.plugin_revisions import register_metric
from mirpipe.music.features.melody_pitch_classes import MELODY
from mirpipe.music.metrics.melody_accuracy import ACCURACY
from mirpipe.records import Score
from mirpipe.stages.evaluate import evaluate
from mirpipe.stages.report import report
from tests.stages.synthetic_matches import SyntheticMatches
from tests.support.databases import Database

SHOWN = (
    "SELECT reference, value FROM mirpipe.v_pair_score WHERE metric = 'melody_accuracy' "
    "ORDER BY reference"
)


@pytest.fixture
def library(fresh_database: Database) -> SyntheticMatches:
    """A target with three references, whose pairs are scored and reported."""
    library = SyntheticMatches(fresh_database)
    target = library.add_with_melody("target", "t", [1, 2, 3])
    references = [
        library.add_with_melody("reference", f"r{number}", [1, 2, 3]) for number in range(3)
    ]
    library.add_matches(target, *references)
    evaluate()
    report(trigger="test")
    return library


def write_scores(library: SyntheticMatches, metric_id: int, titles: list[str]) -> None:
    """Store a score of 0.5 by this revision for the references with these titles."""
    pairs = library.rows(
        "SELECT t.track_id, r.track_id FROM mirpipe.track t, mirpipe.track r "
        "WHERE t.collection = 'target' AND r.title = ANY(:titles)",
        titles=titles,
    )
    scores = {pair_scores.Pair(*pair, None): Score(0.5, None) for pair in pairs}
    with library.app.begin() as connection:
        pair_scores.write(connection, {metric_id: scores})


def test_a_new_revision_is_shown_when_it_has_all_scores(library: SyntheticMatches) -> None:
    before = library.rows(SHOWN)
    assert [value for _, value in before] == [1, 1, 1]
    with library.app.begin() as connection:
        new = register_metric(connection, replace(ACCURACY, version=99), "new")
    assert library.rows(SHOWN) == before
    write_scores(library, new, ["r0", "r1"])
    report(trigger="test")
    assert library.rows(SHOWN) == before
    write_scores(library, new, ["r2"])
    assert library.rows(SHOWN) == before  # until the next report
    assert report(trigger="test").changed
    assert [value for _, value in library.rows(SHOWN)] == [0.5, 0.5, 0.5]


def test_a_score_of_a_removed_reference_is_not_waited_for(library: SyntheticMatches) -> None:
    with library.app.begin() as connection:
        new = register_metric(connection, replace(ACCURACY, version=99), "new")
    write_scores(library, new, ["r0", "r1"])
    library.execute(
        "DELETE FROM mirpipe.neighbour WHERE reference_id = "
        "(SELECT track_id FROM mirpipe.track WHERE title = 'r2')"
    )
    report(trigger="test")
    assert {value for _, value in library.rows(SHOWN)} == {0.5}


def test_a_track_that_the_new_revision_rejects_is_not_waited_for(
    library: SyntheticMatches,
) -> None:
    with library.app.begin() as connection:
        new = register_metric(connection, replace(ACCURACY, version=99), "new")
    write_scores(library, new, ["r0", "r1"])
    library.execute(
        "INSERT INTO mirpipe.failure (stage, revision, subject, track_id, reason, message, retry) "
        "SELECT 'analyse', m.revision, 'r2', t.track_id, 'silent', 'no sound', false "
        "FROM mirpipe.track t, mirpipe.metric m WHERE t.title = 'r2' AND m.name = 'features'"
    )
    report(trigger="test")
    assert [reference for reference, _ in library.rows(SHOWN)] == ["r0", "r1"]


def test_the_old_melodies_are_used_until_all_new_ones_exist(library: SyntheticMatches) -> None:
    voiced = "SELECT title, voiced FROM mirpipe.v_library ORDER BY title"
    before = library.rows(voiced)
    assert [value for _, value in before] == [True] * 4
    with library.app.begin() as connection:
        register_metric(connection, MELODY, "new")
    report(trigger="test")
    assert library.rows(voiced) == before
