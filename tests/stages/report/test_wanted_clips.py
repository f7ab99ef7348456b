"""Only clips that the settings request now enter the results. Other clips are kept."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from mirpipe.db.store.clip_sets import read_clip_sets
from mirpipe.music import features
from mirpipe.settings import settings
from mirpipe.stages import analyse, caption
from mirpipe.stages import generate as stage
from mirpipe.stages.evaluate import evaluate
from mirpipe.stages.generate import ClipSelection
from mirpipe.stages.report import report
from tests.support.audio_files import ingest_folder, tones
from tests.support.databases import Database, DatabasePool
from tests.support.query_plans import rows_read

pytestmark = pytest.mark.usefixtures("_echo_and_beep")

TARGETS = 2
MODES = ["medium", "simple", "strong"]


@pytest.fixture
def library(
    fresh_database: Database, database_pool: DatabasePool, monkeypatch: pytest.MonkeyPatch
) -> Database:
    """Two targets, each with one published clip in each of the modes `MODES`."""
    folder = database_pool.fill(fresh_database, _library)
    change(monkeypatch, CLIPS_DIR=str(folder / "clips"))
    return fresh_database


def _library(database: Database, folder: Path) -> Path:
    tones(folder / "targets", [300.0, 500.0])
    ingest_folder(folder / "targets", "target")
    with pytest.MonkeyPatch.context() as monkeypatch:
        change(monkeypatch, CLIPS_DIR=str(folder / "clips"))
        publish()
    assert summarised(database) == [(mode, TARGETS) for mode in MODES]
    return folder


def publish() -> None:
    """Caption the targets, generate the clips, and publish the results."""
    analyse.analyse()
    caption.caption("echo")
    stage.generate("beep")
    analyse.analyse()
    evaluate()
    report(trigger="test")


def change(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(f"MIRPIPE_{name}", value)
    settings.cache_clear()


def rows(database: Database, query: str) -> list[tuple[object, ...]]:
    with database.reader.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def summarised(database: Database) -> list[tuple[object, ...]]:
    """Return the modes of the latest run, and how many clips each of them summarises."""
    return rows(
        database,
        "SELECT mode, clips_n + undefined_n FROM mirpipe.v_generation_summary "
        "WHERE source = 'library' AND metric = 'melody_accuracy' ORDER BY mode",
    )


def stored(database: Database) -> list[tuple[object, ...]]:
    """Return the numbers of stored clips that are wanted now, and that are not."""
    return rows(
        database,
        "SELECT count(*) FILTER (WHERE wanted), count(*) FILTER (WHERE NOT wanted) "
        "FROM mirpipe.v_generation",
    )


def test_clips_of_another_length_leave_the_results(
    library: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(monkeypatch, GENERATE_SECONDS="1")
    publish()
    assert summarised(library) == [(mode, TARGETS) for mode in MODES]
    assert stored(library) == [(6, 6)]
    assert rows(
        library,
        "SELECT DISTINCT g.seconds FROM mirpipe.v_generation_score "
        "JOIN mirpipe.v_generation g USING (generation_id)",
    ) == [(1.0,)]


def test_clips_of_a_removed_mode_leave_the_results(
    library: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(monkeypatch, MODES='[{"name": "simple", "is_conditioned": false, "guidance": 3}]')
    publish()
    assert summarised(library) == [("simple", TARGETS)]
    assert stored(library) == [(2, 4)]


def test_clips_of_a_removed_seed_leave_the_results(
    library: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(monkeypatch, SEEDS="2")
    publish()
    assert summarised(library) == [(mode, 2 * TARGETS) for mode in MODES]
    change(monkeypatch, SEEDS="1")
    publish()
    assert summarised(library) == [(mode, TARGETS) for mode in MODES]
    assert stored(library) == [(6, 6)]


def test_clips_from_older_features_leave_the_results(
    library: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features, "SPEC", replace(features.SPEC, version=1000))
    publish()
    assert summarised(library) == [(mode, TARGETS) for mode in MODES]
    assert stored(library) == [(6, 6)]


def test_seeds_of_one_command_are_kept_but_not_averaged(library: Database) -> None:
    assert stage.generate("beep", ClipSelection(seeds=2)).made == 6
    publish()
    assert summarised(library) == [(mode, TARGETS) for mode in MODES]
    assert stored(library) == [(6, 6)]


def test_a_command_with_fewer_seeds_removes_no_clip_from_the_results(
    library: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(monkeypatch, SEEDS="2")
    publish()
    assert stage.plan("beep", ClipSelection(seeds=1)) == []
    report(trigger="test")
    assert summarised(library) == [(mode, 2 * TARGETS) for mode in MODES]


def test_a_clip_that_two_machines_generated_counts_once(library: Database) -> None:
    with library.owner.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO mirpipe.generation (target_id, excerpt_id, generator_id, "
                "caption_id, mode, is_conditioned, guidance, seed, seconds, template, prompt, "
                "prompt_parts, sampling, device, versions, track_id, content_sha256, "
                "took_seconds) SELECT target_id, excerpt_id, generator_id, caption_id, mode, "
                "is_conditioned, guidance, seed, seconds, template, prompt, prompt_parts, "
                "sampling, 'another device', versions, track_id, content_sha256, took_seconds "
                "FROM mirpipe.generation"
            )
        )
    publish()
    assert summarised(library) == [(mode, TARGETS) for mode in MODES]
    assert stored(library) == [(6, 6)]


def test_distances_between_clips_and_library_use_only_wanted_clips(
    library: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(monkeypatch, GENERATE_SECONDS="1")
    publish()
    with library.reader.connect() as connection:
        sets = read_clip_sets(connection)
    assert sorted(clips.mode for clips in sets) == MODES
    assert {seconds for clips in sets for seconds in clips.seconds.tolist()} == {1.0}


def test_each_score_of_a_clip_is_read_once_whatever_join_postgres_chooses(
    library: Database,
) -> None:
    with library.owner.begin() as owner:
        owner.execute(text("ANALYZE"))  # Otherwise the plan depends on when autovacuum has run.
    with library.reader.connect() as connection:
        connection.execute(text("SET enable_hashjoin = off"))
        connection.execute(text("SET enable_mergejoin = off"))
        connection.execute(text("SET enable_seqscan = off"))  # It suits a table of one page.
        view = "SELECT * FROM mirpipe.v_generation_score"
        scores = len(connection.execute(text(view)).all())
        plan = connection.execute(text(f"EXPLAIN (ANALYZE, FORMAT JSON) {view}")).scalar_one()
    assert 0 < rows_read(plan, "pair_score") <= scores
