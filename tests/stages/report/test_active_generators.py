"""A new revision of a generator replaces the old one when its clips are complete, or on request."""

import pytest
from sqlalchemy import text

from mirpipe.db import queries
from mirpipe.db.store.clip_sets import read_clip_sets
from mirpipe.errors import ConfigurationError
from mirpipe.operations.promote import promote
from mirpipe.operations.prune import prune
from mirpipe.settings import settings
from mirpipe.stages import analyse
from mirpipe.stages import generate as stage
from mirpipe.stages.evaluate import evaluate
from mirpipe.stages.report import report
from tests.stages.report.clip_library import (
    CLIPS,
    TARGETS,
    change,
    fill_with_published_clips,
    make_quieter_clips,
    publish,
    rows,
    use_new_generator,
)
from tests.support.databases import Database, DatabasePool

pytestmark = pytest.mark.usefixtures("_echo_and_beep")


@pytest.fixture
def library(
    fresh_database: Database, database_pool: DatabasePool, monkeypatch: pytest.MonkeyPatch
) -> Database:
    """Five targets with published clips by the first revision of `beep`."""
    fill_with_published_clips(fresh_database, database_pool, monkeypatch)
    return fresh_database


def register_new(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the second revision of `beep` the configured one, without generating clips."""
    make_quieter_clips(monkeypatch)
    use_new_generator(monkeypatch)


def shown(database: Database) -> dict[int, int]:
    """Return the number of clips in the results by generator revision: 1 is the first one."""
    found = rows(
        database,
        "SELECT r.generator_id, count(v.generation_id) FROM mirpipe.generator r "
        "LEFT JOIN mirpipe.v_generation v ON v.revision = r.revision AND v.wanted "
        "GROUP BY r.generator_id ORDER BY 1",
    )
    shown_ids = {generator_id for generator_id, n in found if n}
    scored = rows(database, "SELECT DISTINCT generator_id FROM mirpipe.v_generation_score")
    assert {generator_id for (generator_id,) in scored} == shown_ids
    with database.app.connect() as connection:
        assert {clips.generator_id for clips in read_clip_sets(connection)} == shown_ids
    return {place: n for place, (_, n) in enumerate(found, 1) if n}


def test_old_clips_stay_in_the_results_until_the_new_ones_are_complete(
    library: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    register_new(monkeypatch)
    report(trigger="test")
    assert shown(library) == {1: CLIPS}
    stage.generate("beep")
    report(trigger="test")  # The new clips have no scores yet.
    assert shown(library) == {1: CLIPS}
    publish()
    assert shown(library) == {2: CLIPS}
    recorded = "SELECT to_run IS NULL, count(*) FROM mirpipe.shown_clip GROUP BY 1 ORDER BY 1"
    assert rows(library, recorded) == [(False, CLIPS), (True, CLIPS)]
    assert {
        summary.n
        for summary in queries.generation_summaries()
        if summary.metric == "melody_accuracy"
    } == {TARGETS}


def test_a_new_revision_with_few_clips_takes_over_only_if_the_old_one_has_few(
    library: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    reject = """
        WITH rejected AS (
            DELETE FROM mirpipe.generation g USING mirpipe.generator r
            WHERE r.generator_id = g.generator_id AND r.wanted = :wanted AND g.mode = 'simple'
            RETURNING r.revision, g.target_id)
        INSERT INTO mirpipe.failure (stage, revision, subject, reason, message, retry)
        SELECT DISTINCT 'generate', revision, 'target:' || encode(t.content_sha256, 'hex'),
            'silent', '', false
        FROM rejected JOIN mirpipe.track t ON t.track_id = target_id
    """
    register_new(monkeypatch)
    stage.generate("beep")
    for wanted, expected in ((True, {1: CLIPS}), (False, {2: CLIPS - TARGETS})):
        with library.app.begin() as connection:
            connection.execute(text(reject), {"wanted": wanted})
        publish()
        assert shown(library) == expected


def test_a_new_revision_waits_until_it_is_promoted(
    library: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(monkeypatch, PROMOTION="manual")
    register_new(monkeypatch)
    with pytest.raises(ConfigurationError, match="is not complete: some clips are missing"):
        promote("beep")
    stage.generate("beep")
    publish()
    assert shown(library) == {1: CLIPS}
    assert rows(library, "SELECT * FROM mirpipe.pending_pair") == []
    [waiting] = queries.challengers()
    assert (waiting.kind, waiting.name, waiting.coverage) == ("generator", "beep", 1)
    result = promote("beep")
    assert queries.challengers() == []
    assert shown(library) == {2: CLIPS}
    publish()
    assert promote("beep").run_id == result.run_id
    assert result.previous is not None
    promote(f"beep@{result.previous}")
    assert shown(library) == {1: CLIPS}


def test_a_new_revision_takes_over_only_if_its_clips_are_not_worse(
    library: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(monkeypatch, PROMOTION="not_worse", PROMOTION_MARGINS="melody_accuracy=0.1")
    register_new(monkeypatch)
    stage.generate("beep")
    analyse.analyse()
    evaluate()
    worse = (
        "UPDATE mirpipe.pair_score p SET reason = NULL, value = CASE WHEN g.generator_id = "
        "(SELECT max(generator_id) FROM mirpipe.generator) THEN {} ELSE 0.5 END "
        "FROM mirpipe.generation g WHERE g.track_id = p.reference_id"
    )
    for value, expected in ((0.3, {1: CLIPS}), (0.45, {2: CLIPS})):
        with library.app.begin() as connection:
            connection.execute(text(worse.format(value)))
        report(trigger="test")
        assert shown(library) == expected


def test_clips_of_a_removed_generator_leave_the_results(
    library: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.deactivate_other_generators([])
    report(trigger="test")
    assert shown(library) == {}


def test_clips_of_the_active_revision_are_not_deleted(
    library: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(monkeypatch, PROMOTION="manual", KEEP_CLIPS_DAYS="1")
    register_new(monkeypatch)
    with library.app.begin() as connection:
        connection.execute(
            text("UPDATE mirpipe.generator SET unwanted_at = now() - interval '9 d'")
        )
    prune(settings())
    assert shown(library) == {1: CLIPS}
    promote("beep", incomplete=True)
    prune(settings())  # The retention time has started at the promotion.
    assert rows(library, "SELECT count(*) FROM mirpipe.generation") == [(CLIPS,)]
