"""Clips of two generators or captioners are compared in pairs that differ in nothing else."""

from pathlib import Path

import pytest
from sqlalchemy import text

from mirpipe.challengers.compare_revisions import RevisionComparison, compare_revisions
from mirpipe.challengers.find_revision import find_revision
from mirpipe.db.snapshot import open_snapshot
from mirpipe.db.store import plugin_revisions
from mirpipe.db.store.stored_revisions import stored_revisions
from mirpipe.specs import CaptionerSpec, GeneratorSpec
from tests.dashboard import example_clips, example_library
from tests.dashboard.example_library import Model, Piece
from tests.support.databases import Database

TARGETS = 6
GENERATOR = GeneratorSpec(
    *("model", 2, "weights", "", 44100, 30.0, True, {}, "MIT", "MIT", "nobody")
)
CAPTIONER = CaptionerSpec(*("writer", 2, "writer", "", 16000, 16000, "", "MIT", "MIT", "nobody"))
# Each clip is a new track whose score is that of the old clip plus a change.
_NEW_TRACKS = """
    INSERT INTO mirpipe.track (collection, content_sha256, title, seconds, rms_dbfs, state)
    SELECT 'generated', sha256(content_sha256), 'new ' || title, seconds, rms_dbfs, 'ok'
    FROM mirpipe.track WHERE collection = 'generated'
"""
_NEW_CAPTIONS = """
    INSERT INTO mirpipe.caption (captioner_id, track_id, features_id, excerpt_id, caption,
        window_start_seconds, window_seconds, contradictions, device, versions, took_seconds)
    SELECT :plugin, track_id, features_id, excerpt_id, 'new ' || caption, window_start_seconds,
        window_seconds, contradictions, device, versions, took_seconds FROM mirpipe.caption
"""
_NEW_CLIPS = """
    INSERT INTO mirpipe.generation (target_id, generator_id, caption_id, mode, is_conditioned,
        guidance, seed, seconds, template, prompt, prompt_parts, sampling, device, versions,
        track_id, content_sha256, took_seconds, excerpt_id)
    SELECT g.target_id, coalesce(:generator, g.generator_id), coalesce(c.caption_id, g.caption_id),
        g.mode, g.is_conditioned, g.guidance, g.seed, g.seconds, g.template, g.prompt,
        g.prompt_parts, g.sampling, g.device, g.versions, n.track_id, n.content_sha256,
        2 * g.took_seconds, g.excerpt_id
    FROM mirpipe.generation g
    JOIN mirpipe.track o ON o.track_id = g.track_id
    JOIN mirpipe.track n ON n.content_sha256 = sha256(o.content_sha256)
    LEFT JOIN mirpipe.caption c ON c.captioner_id = :captioner AND c.track_id = g.target_id
"""
_SCORES = """
    INSERT INTO mirpipe.pair_score (metric_id, target_id, reference_id, excerpt_id, value)
    SELECT m.metric_id, g.target_id, g.track_id, g.excerpt_id,
        0.5 + 0.01 * (g.target_id % 3) + CASE WHEN t.title LIKE 'new %' THEN
            CAST(:change AS double precision) + :spread * (g.target_id % 4 - 1.5) ELSE 0 END
    FROM mirpipe.generation g JOIN mirpipe.track t USING (track_id)
    JOIN mirpipe.metric m ON m.name = 'melody_accuracy'
    ON CONFLICT (metric_id, target_id, reference_id, excerpt_id)
        DO UPDATE SET value = excluded.value, reason = NULL
"""


@pytest.fixture
def library(fresh_database: Database, tmp_path: Path) -> Database:
    """Six targets with two clips in each of three modes, by the revision 1 of `model`."""
    pieces = [Piece("target", f"t{n}", Path(f"/t{n}")) for n in range(TARGETS)]
    pieces += [Piece("reference", f"r{n}", Path(f"/r{n}")) for n in range(4)]
    sound = tmp_path / "a.flac"
    sound.touch()
    with fresh_database.owner.begin() as connection:
        example_library.fill(connection, pieces, [Model("real", 0.5, 0.1)])
        example_clips.describe(connection)
        example_clips.make(connection, [example_clips.Maker("model", seeds=2)], tmp_path, sound)
    return fresh_database


def new_generator(library: Database, *, change: float, spread: float = 0.01) -> None:
    """Generate all clips by the revision 2, whose scores differ by this change on average."""
    with library.app.begin() as connection:
        generator = plugin_revisions.register_generator(connection, GENERATOR, "2")
        connection.execute(text(_NEW_TRACKS))
        connection.execute(text(_NEW_CLIPS), {"generator": generator, "captioner": None})
        connection.execute(text(_SCORES), {"change": change, "spread": spread})


def compare(old: str = "model@1", new: str = "model@2", margin: float = 0) -> RevisionComparison:
    with open_snapshot("app") as connection:
        revisions = stored_revisions(connection)
        return compare_revisions(
            connection,
            find_revision(old, revisions),
            find_revision(new, revisions),
            margins={"melody_accuracy": margin},
            primary_metric="melody_accuracy",
            same_recording_counts=False,
        )


@pytest.mark.parametrize(
    ("change", "spread", "margin", "verdict"),
    [
        (0.2, 0.01, 0, "better"),
        (-0.01, 0.01, 0.1, "not worse"),
        (-0.2, 0.01, 0.1, "worse"),
        (0, 0.2, 0.1, "undecided"),
    ],
)
def test_a_new_generator_has_a_verdict(
    library: Database, change: float, spread: float, margin: float, verdict: str
) -> None:
    new_generator(library, change=change, spread=spread)
    comparison = compare(margin=margin)
    [melody] = [each for each in comparison.metrics if each.margin is not None]
    assert comparison.verdict == melody.verdict == verdict
    assert melody.n == TARGETS
    assert (comparison.changed_n, comparison.compared_n, comparison.common) == (6, 6, 0)
    assert comparison.new.seconds_per_item == pytest.approx(0.2)


def test_values_of_a_target_are_means_over_its_common_clips(library: Database) -> None:
    new_generator(library, change=0.1, spread=0)
    # The new generator has no clip in the mode `strong`, and one of its scores is undefined.
    for change in (
        "UPDATE mirpipe.generation g SET mode = 'other' FROM mirpipe.generator r "
        "WHERE r.generator_id = g.generator_id AND r.revision = '2' AND g.mode = 'strong'",
        "UPDATE mirpipe.pair_score SET value = 0 WHERE reference_id IN "
        "(SELECT track_id FROM mirpipe.generation WHERE mode IN ('strong', 'other'))",
        "UPDATE mirpipe.pair_score p SET value = CASE WHEN r.revision = '1' THEN 1 END, "
        "reason = CASE WHEN r.revision = '2' THEN 'unpitched' END "
        "FROM mirpipe.generation g JOIN mirpipe.generator r USING (generator_id) "
        "WHERE g.track_id = p.reference_id AND g.mode = 'simple' AND g.seed = 1",
    ):
        with library.app.begin() as connection:
            connection.execute(text(change))
    [melody] = [each for each in compare().metrics if each.margin is not None]
    assert melody.old_mean == pytest.approx(0.51)
    assert melody.new_mean == pytest.approx(0.61)


def test_equal_clips_are_not_changes(library: Database) -> None:
    new_generator(library, change=0.1)
    with library.app.begin() as connection:
        connection.execute(
            text(
                "UPDATE mirpipe.generation n SET track_id = o.track_id FROM mirpipe.generation o "
                "WHERE n.generator_id > o.generator_id AND (n.target_id, n.mode, n.seed) "
                "= (o.target_id, o.mode, o.seed) AND (o.seed = 0 OR o.target_id % 2 = 0)"
            )
        )
    comparison = compare()
    assert (comparison.changed_n, comparison.common) == (3, pytest.approx(0.75))
    assert all(each.new_title == f"new {each.old_title}" for each in comparison.changed)


def test_missing_scores_leave_the_verdict_undecided(library: Database) -> None:
    new_generator(library, change=0.1)
    with library.app.begin() as connection:
        connection.execute(
            text(
                "DELETE FROM mirpipe.pair_score WHERE reference_id = "
                "(SELECT max(track_id) FROM mirpipe.generation)"
            )
        )
    comparison = compare()
    assert comparison.verdict == "undecided"
    assert {each.reason for each in comparison.metrics if each.margin is not None} == {
        "not_measured"
    }


def test_a_new_captioner_is_judged_by_the_clips_of_the_same_generator(library: Database) -> None:
    with library.app.begin() as connection:
        captioner = plugin_revisions.register_captioner(connection, CAPTIONER, "2")
        connection.execute(text(_NEW_TRACKS))
        connection.execute(text(_NEW_CAPTIONS), {"plugin": captioner})
        connection.execute(text(_NEW_CLIPS), {"generator": None, "captioner": captioner})
        connection.execute(text(_SCORES), {"change": 0.2, "spread": 0.01})
    comparison = compare("writer@1", "writer@2")
    assert (comparison.verdict, comparison.compared_n, comparison.changed_n) == ("better", 6, 6)
    assert comparison.old.kind == "captioner"


def test_generators_without_common_clips_are_undecided(library: Database) -> None:
    with library.app.begin() as connection:
        plugin_revisions.register_generator(connection, GENERATOR, "2")
    comparison = compare()
    assert (comparison.verdict, comparison.compared_n, comparison.common) == ("undecided", 0, None)
