"""A report publishes a run only if something has changed, and records what has changed."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text

from mirpipe.stages import embed as embed_stage
from mirpipe.stages.report import ReportResult, report
from mirpipe.stages.retrieve import retrieve
from tests.support.audio_files import ingest_folder, tones
from tests.support.databases import Database

pytestmark = pytest.mark.usefixtures("_tiny_encoder")


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """A references folder and a targets folder, each of which contains several tones."""
    references, targets = tmp_path / "references", tmp_path / "targets"
    tones(references, [200, 400, 800, 1600])
    tones(targets, [210, 790])
    return references, targets


def run_pipeline(references: Path, targets: Path) -> ReportResult:
    """Run all stages from ingest to report."""
    ingest_folder(references, "reference")
    ingest_folder(targets, "target")
    embed_stage.plan(["tiny"], batch_tracks=64)
    embed_stage.embed(["tiny"], batch_tracks=64)
    retrieve()
    return report(trigger="test")


def query(database: Database, sql: str) -> list[tuple[object, ...]]:
    with database.reader.connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql))]


def parse_vector(vector_text: str) -> np.ndarray:
    """Return the float32 numbers in pgvector's text form as a float64 array."""
    return np.array(vector_text[1:-1].split(","), dtype=np.float32).astype(np.float64)


def best_matches(database: Database) -> dict[object, object]:
    return dict(  # type: ignore[arg-type]
        query(database, "SELECT target, reference FROM mirpipe.v_retrieval WHERE rank = 1")
    )


def test_first_report_shows_the_nearest_references(
    fresh_database: Database, folders: tuple[Path, Path]
) -> None:
    assert run_pipeline(*folders).changed
    assert best_matches(fresh_database) == {"210 Hz": "200 Hz", "790 Hz": "800 Hz"}
    causes = query(fresh_database, "SELECT DISTINCT cause FROM mirpipe.neighbour_change")
    assert causes == [("first match",)]


def test_report_without_a_change_confirms_the_latest_run(
    fresh_database: Database, folders: tuple[Path, Path]
) -> None:
    first = run_pipeline(*folders)
    [(confirmed,)] = query(fresh_database, "SELECT confirmed_at FROM mirpipe.run")
    again = run_pipeline(*folders)
    assert again == replace(first, changed=False)
    [(confirmed_again,)] = query(fresh_database, "SELECT confirmed_at FROM mirpipe.run")
    assert confirmed_again > confirmed  # type: ignore[operator]


def test_new_reference_changes_only_matches_that_are_less_similar(
    fresh_database: Database, folders: tuple[Path, Path]
) -> None:
    first = run_pipeline(*folders)
    tones(folders[0], [212])
    second = run_pipeline(*folders)
    assert best_matches(fresh_database) == {"210 Hz": "212 Hz", "790 Hz": "800 Hz"}
    changes = query(
        fresh_database,
        "SELECT t.title, p.title, r.title, cause FROM mirpipe.neighbour_change c "
        "JOIN mirpipe.track t ON t.track_id = c.target_id "
        "JOIN mirpipe.track p ON p.track_id = c.previous_reference_id "
        f"JOIN mirpipe.track r ON r.track_id = c.reference_id WHERE run_id = {second.run_id}",
    )
    assert changes == [("210 Hz", "200 Hz", "212 Hz", "new reference")]
    kept = query(
        fresh_database,
        "SELECT count(*) FROM mirpipe.served_neighbour WHERE to_run IS NULL "
        f"AND from_run = {first.run_id} AND rank = 1",
    )
    assert kept == [(1,)]


def test_matches_of_a_past_run_can_be_queried(
    fresh_database: Database, folders: tuple[Path, Path]
) -> None:
    first = run_pipeline(*folders)
    tones(folders[0], [212])
    run_pipeline(*folders)
    past = query(
        fresh_database,
        "SELECT r.title FROM mirpipe.served_neighbour s "
        "JOIN mirpipe.track t ON t.track_id = s.target_id "
        "JOIN mirpipe.track r ON r.track_id = s.reference_id "
        f"WHERE t.title = '210 Hz' AND from_run <= {first.run_id} "
        f"AND coalesce(to_run, 1 + {first.run_id}) > {first.run_id} ORDER BY rank",
    )
    assert [row[0] for row in past] == ["200 Hz", "400 Hz", "800 Hz", "1600 Hz"]


def test_removed_reference_is_no_match_any_more(
    fresh_database: Database, folders: tuple[Path, Path]
) -> None:
    run_pipeline(*folders)
    (folders[0] / "200 Hz.wav").unlink()
    second = run_pipeline(*folders)
    assert best_matches(fresh_database)["210 Hz"] == "400 Hz"
    assert query(
        fresh_database,
        f"SELECT cause FROM mirpipe.neighbour_change WHERE run_id = {second.run_id}",
    ) == [("removed reference",)]


def test_removed_target_has_no_matches_any_more(
    fresh_database: Database, folders: tuple[Path, Path]
) -> None:
    run_pipeline(*folders)
    (folders[1] / "210 Hz.wav").unlink()
    second = run_pipeline(*folders)
    assert best_matches(fresh_database) == {"790 Hz": "800 Hz"}
    assert query(
        fresh_database,
        f"SELECT cause FROM mirpipe.neighbour_change WHERE run_id = {second.run_id}",
    ) == [("removed target",)]


def test_a_retagged_best_match_is_recorded_with_its_former_title(
    fresh_database: Database, folders: tuple[Path, Path]
) -> None:
    def set_title(old: str, new: str) -> None:
        with fresh_database.app.begin() as connection:
            connection.execute(
                text("UPDATE mirpipe.track SET title = :new WHERE title = :old"),
                {"old": old, "new": new},
            )

    first = run_pipeline(*folders)
    set_title("200 Hz", "Renamed")
    set_title("790 Hz", "For a moment")
    set_title("For a moment", "790 Hz")
    second = run_pipeline(*folders)
    assert second.run_id != first.run_id
    changes = "SELECT target, previous, reference, cause FROM mirpipe.v_change WHERE run_id = "
    assert query(fresh_database, f"{changes}{second.run_id}") == [
        ("210 Hz", "200 Hz", "Renamed", "retagged")
    ]
    (folders[0] / "200 Hz.wav").unlink()
    set_title("Renamed", "Again")
    third = run_pipeline(*folders)
    assert query(fresh_database, f"{changes}{third.run_id}") == [
        ("210 Hz", "Again", "400 Hz", "removed reference")
    ]


def test_z_and_percentile_equal_a_direct_computation(
    fresh_database: Database, folders: tuple[Path, Path]
) -> None:
    run_pipeline(*folders)
    rows = query(
        fresh_database,
        "SELECT t.collection, t.title, CAST(e.embedding AS text) FROM mirpipe.embedding e "
        "JOIN mirpipe.track t USING (track_id)",
    )
    vectors = {(row[0], row[1]): parse_vector(str(row[2])) for row in rows}
    references = np.array([v for (c, _), v in vectors.items() if c == "reference"])
    pairs = (references @ references.T)[np.triu_indices(len(references), 1)]
    for target, cosine, z, percentile in query(
        fresh_database,
        "SELECT target, cosine, z, percentile FROM mirpipe.v_retrieval WHERE rank <= 3",
    ):
        cosines = references @ vectors["target", target]
        np.testing.assert_allclose(z, (cosine - cosines.mean()) / cosines.std(), rtol=1e-6)
        np.testing.assert_allclose(percentile, 100 * (pairs <= cosine).mean())


def test_summary_is_mean_and_population_sd_over_best_matches(
    fresh_database: Database, folders: tuple[Path, Path]
) -> None:
    run_pipeline(*folders)
    cosines = [
        row[0]
        for row in query(fresh_database, "SELECT cosine FROM mirpipe.v_retrieval WHERE rank=1")
    ]
    [(n, mean, sd)] = query(
        fresh_database,
        "SELECT n, mean, sd FROM mirpipe.v_retrieval_summary WHERE metric = 'cosine'",
    )
    assert n == 2
    np.testing.assert_allclose([mean, sd], [np.mean(cosines), np.std(cosines)], rtol=1e-12)  # type: ignore[arg-type]


def test_metric_without_scores_is_null_in_the_summary(
    fresh_database: Database, folders: tuple[Path, Path]
) -> None:
    run_pipeline(*folders)
    assert query(
        fresh_database,
        "SELECT n, undefined_n, mean, sd FROM mirpipe.v_retrieval_summary "
        "WHERE metric = 'melody_accuracy'",
    ) == [(0, 2, None, None)]


def test_new_revision_becomes_active_only_when_it_is_complete(
    fresh_database: Database, folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    import dataclasses

    import mirpipe.plugins.encoders.tiny as tiny  # type: ignore[import-not-found]

    run_pipeline(*folders)
    old = query(fresh_database, "SELECT DISTINCT revision FROM mirpipe.v_retrieval")
    monkeypatch.setattr(tiny, "SPEC", dataclasses.replace(tiny.SPEC, version=2))
    [batch] = embed_stage.plan(["tiny"], batch_tracks=64)

    embed_stage.embed(["tiny"], batch.track_ids[:3], batch_tracks=64)
    retrieve()
    report(trigger="half way")
    assert query(fresh_database, "SELECT DISTINCT revision FROM mirpipe.v_retrieval") == old

    embed_stage.embed(["tiny"], batch_tracks=64)
    retrieve()
    report(trigger="complete")
    new = query(fresh_database, "SELECT DISTINCT revision FROM mirpipe.v_retrieval")
    assert len(new) == 1
    assert new != old


def test_reference_that_is_no_match_still_changes_the_scale_of_z(
    fresh_database: Database, folders: tuple[Path, Path]
) -> None:
    tones(folders[0], [2000 + 100 * step for step in range(12)])
    run_pipeline(*folders)
    farthest = folders[0] / "3100 Hz.wav"
    content = farthest.read_bytes()
    farthest.unlink()
    run_pipeline(*folders)
    farthest.write_bytes(content)
    ingest_folder(folders[0], "reference")
    report(trigger="before retrieve")
    retrieve()
    assert report(trigger="after").changed
    assert query(
        fresh_database,
        "SELECT DISTINCT background_n FROM mirpipe.run_target "
        "WHERE run_id = (SELECT max(run_id) FROM mirpipe.run)",
    ) == [(16,)]


def test_new_revision_is_not_active_before_its_lists_are_complete(
    fresh_database: Database, folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    import dataclasses

    import mirpipe.plugins.encoders.tiny as tiny

    run_pipeline(*folders)
    old = query(fresh_database, "SELECT DISTINCT revision FROM mirpipe.v_retrieval")
    monkeypatch.setattr(tiny, "SPEC", dataclasses.replace(tiny.SPEC, version=2))
    [batch] = embed_stage.plan(["tiny"], batch_tracks=64)
    embed_stage.embed(["tiny"], batch.track_ids[1:], batch_tracks=64)
    retrieve()
    embed_stage.embed(["tiny"], batch_tracks=64)
    report(trigger="retrieve did not run")
    assert query(fresh_database, "SELECT DISTINCT revision FROM mirpipe.v_retrieval") == old


def test_empty_library_gives_a_run_without_matches(fresh_database: Database) -> None:
    assert report(trigger="test").changed
    assert query(fresh_database, "SELECT library FROM mirpipe.run") == [({},)]
    assert not report(trigger="test").changed


def test_each_part_is_logged_before_it_starts(
    fresh_database: Database, folders: tuple[Path, Path], caplog: pytest.LogCaptureFixture
) -> None:
    """Airflow shows these lines while the report runs."""
    with caplog.at_level("INFO", logger="mirpipe.report"):
        run_id = run_pipeline(*folders).run_id
        lines = [record.getMessage() for record in caplog.records if "report" in record.name]
        caplog.clear()
        report(trigger="test")
        unchanged = [record.getMessage() for record in caplog.records if "report" in record.name]
    assert lines[0] == "looking for changes since the last run"
    assert f"run {run_id}: computing z, percentiles and the map of tiny" in lines
    assert f"run {run_id}: measuring the rankings" in lines
    assert unchanged == [lines[0], lines[-1]]
