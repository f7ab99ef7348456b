"""What a run holds beyond means: intervals, summaries by group, comparisons, and its past."""

from dataclasses import asdict

import numpy as np
import pytest
from sqlalchemy import text

from mirpipe.db.queries import encoder_comparison, group_summaries
from mirpipe.db.store import plugin_revisions
from mirpipe.specs import EncoderSpec
from mirpipe.stages.report import publish_run, report
from mirpipe.stages.retrieve import retrieve
from mirpipe.statistics.bootstrap_intervals import intervals
from tests.support.databases import Database
from tests.support.synthetic_library import SPEC, SyntheticLibrary, unit

GENRES = ["folk", "folk", "folk", "jazz", "jazz", "jazz", "", "rock"]


class Library:
    """Two encoders, eight labelled targets and twelve references, by seed alike everywhere."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.one = SyntheticLibrary(database.app, name="one", dimension=4)
        self.two = SyntheticLibrary(database.app, name="two", dimension=4)
        self.random = np.random.default_rng(5)
        for number, genre in enumerate(GENRES):
            labels = {"genre": genre, "instrument": "piano"} if genre else {"instrument": "piano"}
            self.add("target", f"t{number}", labels)
        for number in range(12):
            self.add("reference", f"r{number}", {})

    def add(self, collection: str, name: str, labels: dict[str, str]) -> int:
        track_id = self.one.add(collection, name, self.random.normal(size=4), labels=labels)
        self.two.embed(track_id, self.random.normal(size=4))
        return track_id

    def report(self) -> int:
        retrieve()
        return report(trigger="test").run_id

    def ask(self, query: str, **parameters: object) -> list[tuple]:
        with self.database.reader.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query), parameters)]


@pytest.fixture
def library(fresh_database: Database) -> Library:
    return Library(fresh_database)


def test_a_summary_carries_the_interval_over_its_targets(library: Library) -> None:
    library.report()
    for metric in ("cosine", "z"):
        [(values,)] = library.ask(
            f"SELECT array_agg(v.{metric} ORDER BY t.content_sha256) FROM mirpipe.v_retrieval v "
            "JOIN mirpipe.track t ON t.track_id = v.target_id "
            "WHERE v.rank = 1 AND v.encoder = 'one'"
        )
        [found] = library.ask(
            "SELECT n, mean, sd, low, high, interval_reason FROM mirpipe.v_retrieval_summary "
            "WHERE encoder = 'one' AND metric = :metric",
            metric=metric,
        )
        [(low, high)] = intervals([np.array(values)])
        np.testing.assert_allclose(
            found[:5], [8, np.mean(values), np.std(values), low, high], rtol=1e-9
        )
        assert found[5] is None


def test_one_target_or_none_has_no_interval_and_the_reason(fresh_database: Database) -> None:
    library = SyntheticLibrary(fresh_database.app)
    library.add("target", "t", (1, 2, 3))
    for number in range(3):
        library.add("reference", f"r{number}", (1, number, 1))
    retrieve()
    report(trigger="test")
    assert library.rows(
        "SELECT metric, n, low, high, interval_reason FROM mirpipe.v_retrieval_summary "
        "WHERE metric IN ('cosine', 'melody_accuracy') ORDER BY metric"
    ) == [("cosine", 1, None, None, "one_target"), ("melody_accuracy", 0, None, None, "no_target")]


def test_encoders_are_compared_on_the_same_targets_but_never_by_their_cosines(
    library: Library,
) -> None:
    library.report()
    differences = [
        row[0]
        for row in library.ask(
            "SELECT b.z - a.z FROM mirpipe.v_retrieval a JOIN mirpipe.v_retrieval b "
            "USING (target_id, rank) WHERE rank = 1 AND a.encoder = 'one' AND b.encoder = 'two'"
        )
    ]
    found = {one.metric: one for one in encoder_comparison.comparisons()}
    assert "cosine" not in found
    z = found["z"]
    assert (z.encoder, z.than_encoder, z.n) == ("two", "one", 8)
    np.testing.assert_allclose(z.mean_difference, np.mean(differences), rtol=1e-9)
    assert z.higher_n == sum(one > 0 for one in differences)
    assert library.ask(
        "SELECT method, p >= 2 / 2.0 ^ 8, p_holm >= p, family_n, reason, established "
        "FROM mirpipe.v_retrieval_comparison WHERE metric = 'z'"
    ) == [("exact", True, True, 2, None, z.established)]


def test_what_nobody_measured_is_compared_as_undefined_and_no_test_of_the_family(
    library: Library,
) -> None:
    library.report()
    assert library.ask(
        "SELECT n, mean_difference, low, p, p_holm, method, interval_reason, reason, established, "
        "family_n FROM mirpipe.v_retrieval_comparison WHERE metric = 'melody_accuracy'"
    ) == [(0, None, None, None, None, None, "no_target", "no_target", False, 2)]


def test_any_metric_of_pairs_is_summed_up_by_its_name_but_thresholds_are_not_compared(
    library: Library,
) -> None:
    library.report()
    for name in ("likeness", "likeness_null95"):
        library.one.run(
            "WITH m AS (INSERT INTO mirpipe.metric (name, revision, spec) "
            "VALUES (:name, '1', '{}') RETURNING metric_id) "
            "INSERT INTO mirpipe.pair_score (metric_id, target_id, reference_id, value) "
            "SELECT metric_id, target_id, reference_id, count(*) FROM m, mirpipe.served_neighbour "
            "WHERE rank = 1 GROUP BY 1, 2, 3",
            name=name,
        )
    library.report()
    assert library.ask(
        "SELECT metric, count(*), min(n) FROM mirpipe.v_retrieval_summary "
        "WHERE metric LIKE 'likeness%' GROUP BY metric ORDER BY metric"
    ) == [("likeness", 2, 8), ("likeness_null95", 2, 8)]
    assert library.ask(
        "SELECT metric FROM mirpipe.v_retrieval_comparison WHERE metric LIKE 'likeness%'"
    ) == [("likeness",)]


def test_groups_are_summed_up_by_label_and_the_unlabelled_are_counted(library: Library) -> None:
    library.report()
    genres = [
        one
        for one in group_summaries.retrieval_by("genre")
        if (one.subject, one.metric) == ("one", "z")
    ]
    assert [(one.value, one.n, one.unlabelled_n) for one in genres] == [
        ("folk", 3, 1),
        ("jazz", 3, 1),
        ("rock", 1, 1),
    ]
    [(mean,)] = library.ask(
        "SELECT avg(z) FROM mirpipe.v_retrieval "
        "WHERE rank = 1 AND encoder = 'one' AND target_labels ->> 'genre' = 'folk'"
    )
    np.testing.assert_allclose(genres[0].mean, mean, rtol=1e-9)
    assert genres[0].low is not None
    assert genres[2].low is None
    whole = {one.n for one in group_summaries.retrieval_by("instrument") if one.metric == "z"}
    assert whole == {8}


def test_a_past_run_keeps_its_groups(library: Library) -> None:
    numbers = "SELECT label, value, encoder, metric, n, mean, low, high FROM mirpipe."
    first = library.report()
    then = library.ask(f"{numbers}v_retrieval_group_summary ORDER BY 1, 2, 3, 4")
    library.add("reference", "new", {})
    second = library.report()
    past = f"{numbers}v_retrieval_group_summary_history WHERE run_id = :run_id ORDER BY 1, 2, 3, 4"
    assert library.ask(past, run_id=first) == then
    now = library.ask(f"{numbers}v_retrieval_group_summary ORDER BY 1, 2, 3, 4")
    assert library.ask(past, run_id=second) == now != then


def test_a_past_run_answers_as_it_did_and_keeps_its_summary(library: Library) -> None:
    first = library.report()
    then = library.ask(
        "SELECT encoder, target_id, rank, reference_id, cosine, z, percentile "
        "FROM mirpipe.v_retrieval ORDER BY 1, 2, 3"
    )
    summary = library.ask(
        "SELECT encoder, metric, n, mean, low, high FROM mirpipe.v_retrieval_summary ORDER BY 1, 2"
    )
    for number in range(12, 24):
        library.add("reference", f"r{number}", {})
    second = library.report()
    query = (
        "SELECT encoder, target_id, rank, reference_id, cosine, z, percentile "
        "FROM mirpipe.top_neighbour_at(:run_id) ORDER BY 1, 2, 3"
    )
    assert library.ask(query, run_id=first) == then
    now = library.ask(
        "SELECT encoder, target_id, rank, reference_id, cosine, z, percentile "
        "FROM mirpipe.v_retrieval ORDER BY 1, 2, 3"
    )
    assert library.ask(query, run_id=second) == now != then
    assert library.ask(query, run_id=second + 1) == []
    assert (
        library.ask(
            "SELECT encoder, metric, n, mean, low, high FROM mirpipe.v_retrieval_summary_history "
            "WHERE run_id = :run_id ORDER BY 1, 2",
            run_id=first,
        )
        == summary
    )


def test_the_trend_stands_beside_the_size_of_the_library(library: Library) -> None:
    runs = [library.report()]
    for number in range(12, 15):
        library.add("reference", f"r{number}", {})
        runs.append(library.report())
    trend = library.ask(
        "SELECT run_id, library_references, library_targets, mean, mean_change "
        "FROM mirpipe.v_retrieval_summary_history "
        "WHERE encoder = 'one' AND metric = 'cosine' ORDER BY run_id"
    )
    assert [row[:3] for row in trend] == [(run, 12 + at, 8) for at, run in enumerate(runs)]
    means = [row[3] for row in trend]
    assert trend[0][4] is None
    np.testing.assert_allclose([row[4] for row in trend[1:]], np.diff(means), atol=1e-12)
    assert library.ask("SELECT mirpipe.run_at(now()), mirpipe.run_at('2000-01-01')") == [
        (runs[-1], None)
    ]


def test_every_change_of_a_first_answer_has_its_cause(library: Library) -> None:
    library.report()
    best = unit([1, 1, 1, 1])
    target = library.one.add("target", "new", best)
    library.two.embed(target, best)
    library.report()
    near, nearer = [1, 1, 1, 0.9], [1, 1, 1, 0.99]
    old = library.one.add("reference", "near", near)
    library.two.embed(old, near)
    new = library.report()
    library.one.embed(library.one.add("reference", "nearer"), nearer)
    library.report()
    library.one.state(old, "gone")
    removed = library.report()

    def causes(run_id: int) -> set[tuple]:
        return set(
            library.ask(
                "SELECT encoder, cause FROM mirpipe.v_change "
                "WHERE run_id = :run_id AND target = 'new'",
                run_id=run_id,
            )
        )

    assert causes(new) == {("one", "new reference"), ("two", "new reference")}
    assert causes(removed) == {("two", "removed reference")}


def re_embed(library: Library) -> int:
    """A second revision of the encoder "one", wanted from now on, in which nothing is embedded."""
    with library.database.app.begin() as connection:
        return plugin_revisions.register_encoder(
            connection, EncoderSpec(**(asdict(SPEC) | {"name": "one", "dimension": 4})), "r2"
        )


def embed_all(library: Library, encoder_id: int, *, limit: int | None = None) -> None:
    old = library.one.encoder_id
    library.one.run(
        "INSERT INTO mirpipe.embedding SELECT :new, track_id, collection, batch_id, "
        "l2_normalize(CAST(ARRAY[5 * x[4], x[1], -x[1], x[2]] AS vector)) FROM ("
        "SELECT *, string_to_array(btrim(embedding::text, '[]'), ',')::float8[] AS x "
        "FROM mirpipe.embedding WHERE encoder_id = :old ORDER BY track_id DESC LIMIT :limit) e "
        "ON CONFLICT DO NOTHING",
        new=encoder_id,
        old=old,
        limit=limit,
    )


def test_a_new_revision_answers_at_once_when_it_is_complete_and_is_the_cause(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.add("target", "t new", {})
    library.report()
    served = "SELECT DISTINCT revision FROM mirpipe.v_retrieval WHERE encoder = 'one'"
    new = re_embed(library)
    embed_all(library, new, limit=9)
    before = library.report()
    assert library.ask(served) == [("r1",)]

    embed_all(library, new)
    retrieve()
    with monkeypatch.context() as patch:
        patch.setattr(publish_run, "measure", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            report(trigger="fails after the switch")
    assert library.ask(served) == [("r1",)]
    assert library.ask("SELECT encoder_id FROM mirpipe.serving_revision WHERE name = 'one'") == [
        (library.one.encoder_id,)
    ]

    switched = report(trigger="complete").run_id
    assert library.ask(served) == [("r2",)]
    assert library.ask(
        "SELECT DISTINCT encoder, cause FROM mirpipe.v_change WHERE run_id = :run_id",
        run_id=switched,
    ) == [("one", "re-embedding")]
    assert library.ask(
        "SELECT DISTINCT revision FROM mirpipe.top_neighbour_at(:run_id) WHERE encoder = 'one'",
        run_id=before,
    ) == [("r1",)]
