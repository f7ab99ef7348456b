"""The scores of a metric's old revision are shown until the new revision has all of them."""

from dataclasses import replace

import pytest

from mirpipe.db.store import pair_scores
from mirpipe.db.store.plugin_revisions import register_metric
from mirpipe.music.features.melody_pitch_classes import MELODY
from mirpipe.music.metrics.melody_accuracy import ACCURACY
from mirpipe.records import Score
from mirpipe.settings import settings
from mirpipe.stages.evaluate import evaluate, register
from mirpipe.stages.report import report
from mirpipe.stages.retrieve import retrieve
from tests.dashboard import example_clips
from tests.stages.synthetic_matches import SyntheticMatches
from tests.support.databases import Database

TRACK = "SELECT track_id FROM mirpipe.track WHERE title"
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


def test_summaries_keep_the_old_numbers_while_half_of_the_new_melodies_exist(
    library: SyntheticMatches,
) -> None:
    summary = (
        "SELECT n, undefined_n, mean, metric_revision FROM mirpipe.v_retrieval_summary "
        "WHERE metric = 'melody_accuracy' AND source = 'library'"
    )
    second = library.add_with_melody("target", "u", [1, 2, 4])
    library.add_matches(second, library.add_with_melody("reference", "r3", [1, 2, 3]))
    library.execute(
        "INSERT INTO mirpipe.neighbour_state (encoder_id, target_id) "
        "SELECT DISTINCT encoder_id, target_id FROM mirpipe.neighbour ON CONFLICT DO NOTHING"
    )
    evaluate()
    report(trigger="test")
    before = library.rows(summary)
    assert [row[:3] for row in before] == [(2, 0, pytest.approx(5 / 6))]
    with library.app.begin() as connection:
        library.melody_id = register_metric(connection, MELODY, "new")
        new = register_metric(connection, replace(ACCURACY, version=99), "new")
    library.set_melody(library.rows(f"{TRACK} = 't'")[0][0], [5, 5, 5])
    library.set_melody(library.rows(f"{TRACK} = 'r0'")[0][0], [6, 6, 6])
    write_scores(library, new, ["r0"])
    report(trigger="test")
    assert library.rows(summary) == before
    write_scores(library, new, ["r1", "r2", "r3"])
    report(trigger="test")
    assert [row[2:] for row in library.rows(summary)] == [(0.5, "new")]


@pytest.fixture
def clap(fresh_database: Database, monkeypatch: pytest.MonkeyPatch) -> SyntheticMatches:
    """A captioned target and a reference with vectors by an active CLAP revision, r1."""
    monkeypatch.setenv("MIRPIPE_ENCODERS", "clap")
    settings.cache_clear()
    library = SyntheticMatches(fresh_database, name="clap")
    library.set_melody(library.add("target", "t", [1, 0, 0]), [1, 2, 3])
    library.add("reference", "r", [1, 1, 0])
    with fresh_database.owner.begin() as connection:
        example_clips.describe(connection)
    embed_caption(library)
    retrieve()
    evaluate()
    report(trigger="test")
    return library


def embed_caption(library: SyntheticMatches) -> None:
    [(caption_id,)] = library.rows("SELECT caption_id FROM mirpipe.caption")
    library.execute(
        "INSERT INTO mirpipe.caption_embedding "
        "VALUES (:encoder_id, :caption_id, '[0,1,0]', 'cpu', '{}')",
        encoder_id=library.encoder_id,
        caption_id=caption_id,
    )


def embed_with_new_revision(library: SyntheticMatches) -> None:
    """Make r2 the configured CLAP revision, and store a vector of each track."""
    library.register("r2")
    for (track_id,) in library.rows("SELECT track_id FROM mirpipe.track"):
        library.set_vector(track_id, [0, 1, 1])
    retrieve()


def shown_revision(library: SyntheticMatches, metric: str) -> str:
    """Return the encoder revision whose values of the metric are shown."""
    [(revision,)] = library.rows(
        "SELECT spec ->> 'encoder_revision' FROM mirpipe.shown_metric WHERE name = :metric",
        metric=metric,
    )
    return str(revision)


def active_revision(library: SyntheticMatches) -> str:
    [(revision,)] = library.rows("SELECT revision FROM mirpipe.v_encoder WHERE serving")
    return str(revision)


def test_the_text_score_follows_a_new_revision_when_all_captions_have_vectors(
    clap: SyntheticMatches,
) -> None:
    embed_with_new_revision(clap)
    evaluate()
    report(trigger="test")
    assert active_revision(clap) == "r2"
    assert shown_revision(clap, "clap_text_score") == "r1"
    embed_caption(clap)
    assert report(trigger="test").changed
    assert shown_revision(clap, "clap_text_score") == "r2"


def test_the_text_score_does_not_follow_before_the_new_revision_is_active(
    clap: SyntheticMatches,
) -> None:
    clap.register("r2")
    evaluate()
    embed_caption(clap)
    report(trigger="test")
    assert active_revision(clap) == shown_revision(clap, "clap_text_score") == "r1"


def test_similarities_of_the_old_revision_are_shown_until_the_new_ones_exist(
    clap: SyntheticMatches,
) -> None:
    before = clap.scores("clap_similarity")
    assert len(before) == 1
    embed_with_new_revision(clap)
    register()  # The scores are not computed yet.
    report(trigger="test")
    assert active_revision(clap) == "r2"
    assert clap.scores("clap_similarity") == before
    evaluate()
    report(trigger="test")
    [(*_, value, _)] = clap.scores("clap_similarity")
    assert value == pytest.approx(1.0) != before[0][2]


def test_a_new_revision_waits_for_the_excerpts_of_the_active_one(
    clap: SyntheticMatches,
) -> None:
    clap.execute("UPDATE mirpipe.excerpt SET is_whole = false")
    clap.execute(
        "INSERT INTO mirpipe.generator (name, revision, spec) VALUES ('g', '1', '{}'); "
        "INSERT INTO mirpipe.generation_wish SELECT generator_id, 'simple', false, 3, 0, "
        "'caption', 30 FROM mirpipe.generator"
    )
    embed = (
        "INSERT INTO mirpipe.excerpt_embedding "
        "SELECT :encoder_id, excerpt_id, :batch_id, '[0,1,0]' FROM mirpipe.excerpt"
    )
    clap.execute(embed, encoder_id=clap.encoder_id, batch_id=clap.batch_id)
    embed_with_new_revision(clap)
    report(trigger="test")
    assert active_revision(clap) == "r1"
    clap.execute(embed, encoder_id=clap.encoder_id, batch_id=clap.batch_id)
    report(trigger="test")
    assert active_revision(clap) == "r2"
