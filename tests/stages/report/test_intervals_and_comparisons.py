"""Intervals, summaries by group, encoder comparisons, and the results of past runs."""

from dataclasses import asdict

import numpy as np
import pytest
from scipy.stats import mannwhitneyu
from sqlalchemy import text

from mirpipe.db import queries
from mirpipe.db.store import plugin_revisions
from mirpipe.specs import EncoderSpec
from mirpipe.stages.report import publish_run, report
from mirpipe.stages.retrieve import retrieve
from mirpipe.statistics.mean_intervals import intervals
from tests.support.databases import Database
from tests.support.synthetic_library import SPEC, SyntheticLibrary, unit

GENRES = ["folk", "folk", "folk", "jazz", "jazz", "jazz", "", "rock"]


class Library:
    """A library of eight labelled targets and twelve references.

    Each track has a seeded random vector by each of two encoders.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self.first = SyntheticLibrary(database.app, name="first", dimension=4)
        self.second = SyntheticLibrary(database.app, name="second", dimension=4)
        self.random = np.random.default_rng(5)
        for number, genre in enumerate(GENRES):
            labels = {"genre": genre, "instrument": "piano"} if genre else {"instrument": "piano"}
            self.add("target", f"t{number}", labels)
        for number in range(12):
            self.add("reference", f"r{number}", {})

    def add(self, collection: str, name: str, labels: dict[str, str]) -> int:
        """Add a track with a random vector by each encoder, and return its id."""
        track_id = self.first.add(collection, name, self.random.normal(size=4), labels=labels)
        self.second.set_vector(track_id, self.random.normal(size=4))
        return track_id

    def report(self) -> int:
        """Run retrieve and report, and return the run id."""
        retrieve()
        return report(trigger="test").run_id

    def query(self, sql: str, **parameters: object) -> list[tuple]:
        """Run a query as the reader role, and return its rows."""
        with self.database.reader.connect() as connection:
            return [tuple(row) for row in connection.execute(text(sql), parameters)]


@pytest.fixture
def library(fresh_database: Database) -> Library:
    return Library(fresh_database)


def test_a_summary_contains_the_interval_over_its_targets(library: Library) -> None:
    library.report()
    for metric in ("cosine", "z"):
        [(values,)] = library.query(
            f"SELECT array_agg(v.{metric} ORDER BY t.content_sha256) FROM mirpipe.v_retrieval v "
            "JOIN mirpipe.track t ON t.track_id = v.target_id "
            "WHERE v.rank = 1 AND v.encoder = 'first'"
        )
        [row] = library.query(
            "SELECT n, mean, sd, low, high, interval_reason FROM mirpipe.v_retrieval_summary "
            "WHERE encoder = 'first' AND metric = :metric",
            metric=metric,
        )
        [(low, high)] = intervals([np.array(values)])
        np.testing.assert_allclose(
            row[:5], [8, np.mean(values), np.std(values), low, high], rtol=1e-9
        )
        assert row[5] is None


def test_fewer_than_five_targets_have_a_reason_instead_of_an_interval(
    fresh_database: Database,
) -> None:
    library = SyntheticLibrary(fresh_database.app)
    library.add("target", "t", (1, 2, 3))
    for number in range(3):
        library.add("reference", f"r{number}", (1, number, 1))
    retrieve()
    report(trigger="test")
    assert library.rows(
        "SELECT metric, n, low, high, interval_reason FROM mirpipe.v_retrieval_summary "
        "WHERE metric IN ('cosine', 'melody_accuracy') ORDER BY metric"
    ) == [
        ("cosine", 1, None, None, "too_few_targets"),
        ("melody_accuracy", 0, None, None, "no_target"),
    ]


def test_encoders_are_compared_on_the_same_targets_but_never_by_their_cosines(
    library: Library,
) -> None:
    library.report()
    differences = [
        row[0]
        for row in library.query(
            "SELECT b.z - a.z FROM mirpipe.v_retrieval a JOIN mirpipe.v_retrieval b "
            "USING (target_id, rank) "
            "WHERE rank = 1 AND a.encoder = 'first' AND b.encoder = 'second'"
        )
    ]
    comparisons = {row.metric: row for row in queries.encoder_comparisons()}
    assert "cosine" not in comparisons
    z = comparisons["z"]
    assert (z.encoder, z.than_encoder, z.n) == ("second", "first", 8)
    np.testing.assert_allclose(z.mean_difference, np.mean(differences), rtol=1e-9)
    assert z.higher_n == sum(difference > 0 for difference in differences)
    assert library.query(
        "SELECT method, p >= 2 / 2.0 ^ 8, p_adjusted >= p, family_n, reason, established "
        "FROM mirpipe.v_retrieval_comparison WHERE metric = 'z'"
    ) == [("exact", True, True, 2, None, z.established)]


def test_a_metric_without_scores_is_undefined_and_not_counted_in_the_family(
    library: Library,
) -> None:
    library.report()
    assert library.query(
        "SELECT n, mean_difference, low, p, p_adjusted, method, interval_reason, reason, "
        "established, family_n FROM mirpipe.v_retrieval_comparison WHERE metric = 'melody_accuracy'"
    ) == [(0, None, None, None, None, None, "no_target", "no_target", False, 2)]


def test_every_metric_of_pairs_is_summarised_but_thresholds_are_not_compared(
    library: Library,
) -> None:
    library.report()
    for name in ("similarity", "similarity_null95"):
        library.first.execute(
            "WITH m AS (INSERT INTO mirpipe.metric (name, revision, spec) "
            "VALUES (:name, '1', '{}') RETURNING metric_id) "
            "INSERT INTO mirpipe.pair_score (metric_id, target_id, reference_id, value) "
            "SELECT metric_id, target_id, reference_id, count(*) FROM m, mirpipe.served_neighbour "
            "WHERE rank = 1 GROUP BY 1, 2, 3",
            name=name,
        )
    library.report()
    assert library.query(
        "SELECT metric, count(*), min(n) FROM mirpipe.v_retrieval_summary "
        "WHERE metric LIKE 'similarity%' GROUP BY metric ORDER BY metric"
    ) == [("similarity", 2, 8), ("similarity_null95", 2, 8)]
    assert library.query(
        "SELECT metric FROM mirpipe.v_retrieval_comparison WHERE metric LIKE 'similarity%'"
    ) == [("similarity",)]


def test_groups_are_summarised_by_label_and_unlabelled_targets_are_counted(
    library: Library,
) -> None:
    library.report()
    genres = [
        row
        for row in queries.retrieval_group_summaries("genre")
        if (row.subject, row.metric) == ("first", "z")
    ]
    assert [(row.value, row.n, row.unlabelled_n) for row in genres] == [
        ("folk", 3, 1),
        ("jazz", 3, 1),
        ("rock", 1, 1),
    ]
    [(mean,)] = library.query(
        "SELECT avg(z) FROM mirpipe.v_retrieval "
        "WHERE rank = 1 AND encoder = 'first' AND target_labels ->> 'genre' = 'folk'"
    )
    np.testing.assert_allclose(genres[0].mean, mean, rtol=1e-9)
    assert genres[0].low is None
    rows = queries.retrieval_group_summaries("instrument")
    assert {row.n for row in rows if row.metric == "z"} == {8}
    assert all(row.low is not None for row in rows if row.metric == "z")


def test_groups_of_five_are_tested_against_the_other_targets(library: Library) -> None:
    for number in range(10):
        library.add("target", f"more {number}", {"genre": "folk" if number < 4 else "jazz"})
    library.report()
    columns = "SELECT value, p, p_adjusted, p_reason FROM mirpipe.v_retrieval_group_summary "
    rows = {
        value: rest
        for value, *rest in library.query(
            f"{columns} WHERE label = 'genre' AND encoder = 'first' AND metric = 'z'"
        )
    }
    by_genre = library.query(
        "SELECT target_labels ->> 'genre', array_agg(z) FROM mirpipe.v_retrieval "
        "WHERE rank = 1 AND encoder = 'first' AND target_labels ->> 'genre' <> '' GROUP BY 1"
    )
    z = dict(by_genre)
    expected = mannwhitneyu(z["folk"], z["jazz"] + z["rock"]).pvalue
    p, p_adjusted, reason = rows["folk"]
    assert (p, reason) == (pytest.approx(expected, rel=1e-9), None)
    assert p <= p_adjusted <= 1
    assert rows["rock"] == [None, None, "too_few_targets"]


def test_a_target_with_two_genres_is_in_both_groups_and_never_among_the_others(
    library: Library,
) -> None:
    for number in range(12):
        genre = ("folk", "jazz", "folk; jazz")[number % 3]
        library.add("target", f"more {number}", {"genre": genre})
    library.report()
    rows = {
        value: rest
        for value, *rest in library.query(
            "SELECT value, n, mean, p FROM mirpipe.v_retrieval_group_summary "
            "WHERE label = 'genre' AND encoder = 'first' AND metric = 'z'"
        )
    }
    z = library.query(
        "SELECT t.genres, v.z FROM mirpipe.v_retrieval v JOIN mirpipe.track t "
        "ON t.track_id = v.target_id WHERE v.rank = 1 AND v.encoder = 'first'"
    )
    for genre in ("folk", "jazz"):
        group = [value for genres, value in z if genre in genres]
        others = [value for genres, value in z if genres and genre not in genres]
        assert len(group) == 3 + 8
        assert rows[genre] == [
            len(group),
            pytest.approx(np.mean(group)),
            pytest.approx(mannwhitneyu(group, others).pvalue),
        ]


def test_a_past_run_keeps_its_groups(library: Library) -> None:
    numbers = "SELECT label, value, encoder, metric, n, mean, low, high FROM mirpipe."
    first = library.report()
    then = library.query(f"{numbers}v_retrieval_group_summary ORDER BY 1, 2, 3, 4")
    library.add("reference", "new", {})
    second = library.report()
    past = f"{numbers}v_retrieval_group_summary_history WHERE run_id = :run_id ORDER BY 1, 2, 3, 4"
    assert library.query(past, run_id=first) == then
    now = library.query(f"{numbers}v_retrieval_group_summary ORDER BY 1, 2, 3, 4")
    assert library.query(past, run_id=second) == now != then


def test_a_past_run_keeps_its_matches_and_its_summary(library: Library) -> None:
    first = library.report()
    then = library.query(
        "SELECT encoder, target_id, rank, reference_id, cosine, z, percentile "
        "FROM mirpipe.v_retrieval ORDER BY 1, 2, 3"
    )
    summary = library.query(
        "SELECT encoder, metric, n, mean, low, high FROM mirpipe.v_retrieval_summary ORDER BY 1, 2"
    )
    for number in range(12, 24):
        library.add("reference", f"r{number}", {})
    second = library.report()
    query = (
        "SELECT encoder, target_id, rank, reference_id, cosine, z, percentile "
        "FROM mirpipe.top_neighbour_at(:run_id) ORDER BY 1, 2, 3"
    )
    assert library.query(query, run_id=first) == then
    now = library.query(
        "SELECT encoder, target_id, rank, reference_id, cosine, z, percentile "
        "FROM mirpipe.v_retrieval ORDER BY 1, 2, 3"
    )
    assert library.query(query, run_id=second) == now != then
    assert library.query(query, run_id=second + 1) == []
    assert (
        library.query(
            "SELECT encoder, metric, n, mean, low, high FROM mirpipe.v_retrieval_summary_history "
            "WHERE run_id = :run_id ORDER BY 1, 2",
            run_id=first,
        )
        == summary
    )


def test_the_trend_is_shown_with_the_size_of_the_library(library: Library) -> None:
    runs = [library.report()]
    for number in range(12, 15):
        library.add("reference", f"r{number}", {})
        runs.append(library.report())
    trend = library.query(
        "SELECT run_id, library_references, library_targets, mean, mean_change "
        "FROM mirpipe.v_retrieval_summary_history "
        "WHERE encoder = 'first' AND metric = 'cosine' ORDER BY run_id"
    )
    assert [row[:3] for row in trend] == [(run, 12 + index, 8) for index, run in enumerate(runs)]
    means = [row[3] for row in trend]
    assert trend[0][4] is None
    np.testing.assert_allclose([row[4] for row in trend[1:]], np.diff(means), atol=1e-12)
    assert library.query("SELECT mirpipe.run_at(now()), mirpipe.run_at('2000-01-01')") == [
        (runs[-1], None)
    ]


def test_every_change_of_a_best_match_has_its_cause(library: Library) -> None:
    library.report()
    best = unit([1, 1, 1, 1])
    target = library.first.add("target", "new", best)
    library.second.set_vector(target, best)
    library.report()
    near, nearer = [1, 1, 1, 0.9], [1, 1, 1, 0.99]
    old = library.first.add("reference", "near", near)
    library.second.set_vector(old, near)
    new = library.report()
    library.first.set_vector(library.first.add("reference", "nearer"), nearer)
    library.report()
    library.first.set_state(old, "gone")
    removed = library.report()

    def causes(run_id: int) -> set[tuple]:
        return set(
            library.query(
                "SELECT encoder, cause FROM mirpipe.v_change "
                "WHERE run_id = :run_id AND target = 'new'",
                run_id=run_id,
            )
        )

    assert causes(new) == {("first", "new reference"), ("second", "new reference")}
    assert causes(removed) == {("second", "removed reference")}


def register_new_revision(library: Library) -> int:
    """Register a second revision of the first encoder as the configured one, and return its id."""
    with library.database.app.begin() as connection:
        return plugin_revisions.register_encoder(
            connection, EncoderSpec(**(asdict(SPEC) | {"name": "first", "dimension": 4})), "r2"
        )


def embed_all(library: Library, encoder_id: int, *, limit: int | None = None) -> None:
    """Add vectors by the new revision for all tracks, or for up to `limit` tracks."""
    old = library.first.encoder_id
    library.first.execute(
        "INSERT INTO mirpipe.embedding SELECT :new, track_id, collection, batch_id, "
        "l2_normalize(CAST(ARRAY[5 * x[4], x[1], -x[1], x[2]] AS vector)) FROM ("
        "SELECT *, string_to_array(btrim(embedding::text, '[]'), ',')::float8[] AS x "
        "FROM mirpipe.embedding WHERE encoder_id = :old ORDER BY track_id DESC LIMIT :limit) e "
        "ON CONFLICT DO NOTHING",
        new=encoder_id,
        old=old,
        limit=limit,
    )


def test_a_complete_new_revision_becomes_active_and_is_the_cause_of_changes(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.add("target", "t new", {})
    library.report()
    revisions = "SELECT DISTINCT revision FROM mirpipe.v_retrieval WHERE encoder = 'first'"
    new = register_new_revision(library)
    embed_all(library, new, limit=9)
    before = library.report()
    assert library.query(revisions) == [("r1",)]

    embed_all(library, new)
    retrieve()
    with monkeypatch.context() as patch:
        patch.setattr(publish_run, "insert_summaries_and_comparisons", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            report(trigger="fails after the activation")
    assert library.query(revisions) == [("r1",)]
    assert library.query(
        "SELECT encoder_id FROM mirpipe.serving_revision WHERE name = 'first'"
    ) == [(library.first.encoder_id,)]

    switched = report(trigger="complete").run_id
    assert library.query(revisions) == [("r2",)]
    assert library.query(
        "SELECT DISTINCT encoder, cause FROM mirpipe.v_change WHERE run_id = :run_id",
        run_id=switched,
    ) == [("first", "new encoder revision")]
    assert library.query(
        "SELECT DISTINCT revision FROM mirpipe.top_neighbour_at(:run_id) WHERE encoder = 'first'",
        run_id=before,
    ) == [("r1",)]
