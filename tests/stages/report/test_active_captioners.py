"""A new revision of a captioner replaces the old one when its clips are complete, or on request."""

import importlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from mirpipe.cli.main import app
from mirpipe.db import queries
from mirpipe.db.store.clip_sets import read_clip_sets
from mirpipe.errors import ConfigurationError
from mirpipe.operations.promote import promote
from mirpipe.operations.prune import prune
from mirpipe.settings import settings
from mirpipe.stages import analyse, caption
from mirpipe.stages import generate as stage
from mirpipe.stages.evaluate import evaluate
from mirpipe.stages.report import report
from tests.stages.report.clip_library import (
    CLIPS,
    TARGETS,
    add_targets,
    change,
    fill_with_published_clips,
    make_quieter_clips,
    publish,
    rows,
    use_new_generator,
)
from tests.support.audio_files import ingest_folder, tones
from tests.support.databases import Database, DatabasePool

pytestmark = pytest.mark.usefixtures("_echo_and_beep")


@pytest.fixture
def library(
    fresh_database: Database, database_pool: DatabasePool, monkeypatch: pytest.MonkeyPatch
) -> Database:
    """Five targets with published clips from the captions of the first revision of `echo`."""
    fill_with_published_clips(fresh_database, database_pool, monkeypatch)
    return fresh_database


def use_new_captioner(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the second revision of `echo` the configured one. Its captions lead to other clips."""
    echo: Any = importlib.import_module("mirpipe.plugins.captioners.echo")
    monkeypatch.setattr(echo, "SPEC", replace(echo.SPEC, version=echo.SPEC.version + 1))
    monkeypatch.setenv("ECHO", "new")
    make_quieter_clips(monkeypatch)
    caption.plan("echo")


def shown(database: Database) -> dict[str, int]:
    """Return the number of clips in the results by the caption from which they were generated."""
    counts = dict(
        rows(
            database,
            "SELECT caption, count(*) FROM mirpipe.v_generation WHERE wanted GROUP BY 1",
        )
    )
    scored = rows(
        database,
        "SELECT DISTINCT caption FROM mirpipe.v_generation_score JOIN mirpipe.generation "
        "USING (generation_id) JOIN mirpipe.caption USING (caption_id)",
    )
    assert {words for (words,) in scored} == counts.keys()
    with database.app.connect() as connection:
        assert sum(len(clips.track_ids) for clips in read_clip_sets(connection)) <= sum(
            counts.values()
        )
    return counts


def shown_captions() -> list[str]:
    return [each.caption for each in queries.captions()]


def test_old_captions_and_clips_are_shown_until_the_new_clips_are_complete(
    library: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_new_captioner(monkeypatch)
    report(trigger="test")
    caption.caption("echo")
    report(trigger="test")
    assert (shown(library), shown_captions()) == ({"old": CLIPS}, ["old"] * TARGETS)
    stage.generate("beep")
    report(trigger="test")  # The new clips have no scores yet.
    assert (shown(library), shown_captions()) == ({"old": CLIPS}, ["old"] * TARGETS)
    publish()
    assert (shown(library), shown_captions()) == ({"new": CLIPS}, ["new"] * TARGETS)


def test_without_clips_a_new_revision_needs_only_its_captions(
    fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ECHO", "old")
    add_targets(tmp_path, monkeypatch)
    caption.caption("echo")
    publish()
    change(monkeypatch, PROMOTION="manual")
    use_new_captioner(monkeypatch)
    report(trigger="test")
    assert shown_captions() == ["old"] * TARGETS
    caption.caption("echo")
    report(trigger="test")
    assert queries.challengers()[0].coverage == 1
    result = CliRunner().invoke(app, ["compare", "echo"])
    assert result.exit_code == 2
    words = " ".join(result.stdout.split())
    assert "No target has clips from captions by both revisions. Run `mirpipe generate`." in words
    assert "no target has answers by both revisions" in words
    result = CliRunner().invoke(app, ["promote", "echo"])
    assert "is active. All results are the same as in run 1" in result.stdout
    assert shown_captions() == ["new"] * TARGETS


def test_a_new_revision_with_few_captions_takes_over_only_if_the_old_one_has_few(
    library: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reject(*, wanted: bool) -> None:
        """Remove a caption with its clips, and record that the captioner rejected the target."""
        of_captioner = f"SELECT captioner_id FROM mirpipe.captioner WHERE wanted = {wanted}"
        with library.app.begin() as connection:
            caption_id = connection.execute(
                text(
                    "SELECT max(caption_id) FROM mirpipe.caption "
                    f"WHERE captioner_id IN ({of_captioner})"
                )
            ).scalar_one()
            for statement in (
                "DELETE FROM mirpipe.shown_clip WHERE generation_id IN (SELECT generation_id FROM "
                "mirpipe.generation WHERE caption_id = :id)",
                "DELETE FROM mirpipe.generation WHERE caption_id = :id",
                "INSERT INTO mirpipe.failure "
                "(stage, revision, subject, track_id, reason, message, retry) "
                "SELECT 'caption', k.revision, 'target:' || encode(t.content_sha256, 'hex'), "
                "t.track_id, 'no_caption', '', false FROM mirpipe.caption c "
                "JOIN mirpipe.captioner k USING (captioner_id) "
                "JOIN mirpipe.track t USING (track_id) WHERE c.caption_id = :id",
                "DELETE FROM mirpipe.caption_embedding WHERE caption_id = :id",
                "DELETE FROM mirpipe.caption WHERE caption_id = :id",
            ):
                connection.execute(text(statement), {"id": caption_id})

    use_new_captioner(monkeypatch)
    caption.caption("echo")
    stage.generate("beep")
    reject(wanted=True)
    publish()
    assert shown(library) == {"old": CLIPS}
    reject(wanted=False)
    publish()
    assert shown(library) == {"new": CLIPS - 3}


def test_a_new_revision_waits_until_it_is_promoted(
    library: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(monkeypatch, PROMOTION="manual")
    use_new_captioner(monkeypatch)
    assert queries.challengers()[0].coverage == 0
    with pytest.raises(ConfigurationError, match="Run `mirpipe caption`, `mirpipe generate` and"):
        promote("echo")
    caption.caption("echo")
    assert queries.challengers()[0].coverage == 0
    stage.generate("beep", stage.ClipSelection(limit=CLIPS // 3))
    assert queries.challengers()[0].coverage == pytest.approx(1 / 3)
    stage.generate("beep")
    publish()
    assert shown(library) == {"old": CLIPS}
    assert rows(library, "SELECT * FROM mirpipe.pending_pair") == []
    [waiting] = queries.challengers()
    assert (waiting.kind, waiting.name, waiting.coverage) == ("captioner", "echo", 1)
    revisions = "SELECT DISTINCT captioner_revision FROM mirpipe.v_generation WHERE wanted = {}"
    assert rows(library, revisions.format("false")) == [(waiting.revision,)]
    assert rows(library, revisions.format("true")) == [(waiting.active_revision,)]
    result = promote("echo")
    assert result.published
    assert (shown(library), queries.challengers()) == ({"new": CLIPS}, [])
    publish()
    assert promote("echo").run_id == result.run_id
    promote(f"echo@{result.previous}")
    assert (shown(library), shown_captions()) == ({"old": CLIPS}, ["old"] * TARGETS)


def test_a_target_that_is_added_while_a_revision_waits_has_clips_only_by_it(
    library: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(monkeypatch, PROMOTION="manual")
    use_new_captioner(monkeypatch)
    tones(tmp_path / "more", [700.0])
    ingest_folder(tmp_path / "more", "target")
    analyse.analyse()
    caption.caption("echo")
    stage.generate("beep")
    publish()
    assert shown(library) == {"old": CLIPS}
    promote("echo")
    assert shown(library) == {"new": CLIPS + 3}


def test_a_new_revision_takes_over_only_if_its_clips_are_not_worse(
    library: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(monkeypatch, PROMOTION="not_worse", PROMOTION_MARGINS="melody_accuracy=0.1")
    use_new_captioner(monkeypatch)
    caption.caption("echo")
    stage.generate("beep")
    analyse.analyse()
    evaluate()
    worse = (
        "UPDATE mirpipe.pair_score p SET reason = NULL, value = CASE c.caption WHEN 'new' THEN {} "
        "ELSE 0.5 END FROM mirpipe.generation g JOIN mirpipe.caption c USING (caption_id) "
        "WHERE g.track_id = p.reference_id"
    )
    for value, expected in ((0.3, {"old": CLIPS}), (0.45, {"new": CLIPS})):
        with library.app.begin() as connection:
            connection.execute(text(worse.format(value)))
        report(trigger="test")
        assert shown(library) == expected


def test_a_captioner_and_a_generator_that_change_together_leave_no_gap(
    library: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_new_captioner(monkeypatch)
    use_new_generator(monkeypatch)
    caption.caption("echo")
    publish()
    assert shown(library) == {"old": CLIPS}
    stage.generate("beep")
    publish()
    assert shown(library) == {"new": CLIPS}
    by_new = "SELECT DISTINCT r.wanted FROM mirpipe.v_generation g JOIN mirpipe.generator r "
    assert rows(library, by_new + "USING (revision) WHERE g.wanted") == [(True,)]


def test_clips_of_the_active_revision_are_not_deleted(
    library: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(monkeypatch, PROMOTION="manual", KEEP_CLIPS_DAYS="1")
    use_new_captioner(monkeypatch)
    with library.app.begin() as connection:
        connection.execute(
            text("UPDATE mirpipe.captioner SET unwanted_at = now() - interval '9 d'")
        )
    prune(settings())
    assert shown(library) == {"old": CLIPS}
    promote("echo", incomplete=True)
    prune(settings())  # The retention time has started at the promotion.
    assert rows(library, "SELECT count(*) FROM mirpipe.generation") == [(CLIPS,)]
