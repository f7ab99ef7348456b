"""Results about rankings: precision by label, hubs, CSLS, encoder agreement, and fusion."""

import numpy as np
import pytest
from sqlalchemy import Connection, text

from mirpipe.db.queries import ranking_measurement_sentences
from mirpipe.db.store import stored_vectors, track_vectors
from mirpipe.db.store.active_revisions import activate_complete_revisions
from mirpipe.db.store.stored_vectors import read_vectors
from mirpipe.records import Int64
from mirpipe.settings import settings
from mirpipe.stages.report import csls_accuracy, csls_reranking, report
from mirpipe.stages.report.ranking_quality import insert_ranking_results
from mirpipe.stages.retrieve import retrieve
from mirpipe.statistics import full_ranking
from tests.support.databases import Database
from tests.support.synthetic_library import SyntheticLibrary, sha256, unit

REFERENCES = {
    "east": ([1, 0, 0], "folk"),
    "east, a little up": ([1, 0.2, 0], "jazz"),
    "north": ([0, 1, 0], "folk"),
    "up": ([0, 0, 1], None),
}


def query(database: Database, sql: str) -> list[tuple[object, ...]]:
    with database.reader.connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql))]


@pytest.fixture
def library(fresh_database: Database) -> SyntheticLibrary:
    """Four references and two targets. No reference has the same genre as the target `near up`."""
    library = SyntheticLibrary(fresh_database.app)
    for name, (vector, genre) in REFERENCES.items():
        library.add("reference", name, vector, labels={} if genre is None else {"genre": genre})
    library.add("target", "near east", [1, 0.01, 0], labels={"genre": "folk"})
    library.add("target", "near up", [0.1, 0, 1], labels={"genre": "polka"})
    return library


def publish(library: SyntheticLibrary) -> int:
    """Run retrieve and report, and return the run id."""
    retrieve()
    return report(trigger="test").run_id


def test_measures_of_a_known_ranking_have_the_expected_values(
    fresh_database: Database, library: SyntheticLibrary
) -> None:
    publish(library)
    rows = query(
        fresh_database,
        "SELECT metric, n, left_out_n, mean, low FROM mirpipe.v_ranking "
        "WHERE label = 'genre' AND queries = 'targets' AND rerank = 'cosine' ORDER BY metric",
    )
    # `near east` has folk matches at ranks 1 and 3. No reference has the genre of `near up`.
    assert rows == [
        ("map", 1, 1, pytest.approx((1 + 2 / 3) / 2), None),
        ("mrr", 1, 1, 1.0, None),
        ("p_at_1", 1, 1, 1.0, None),
        ("p_at_10", 1, 1, 0.2, None),
        ("p_at_5", 1, 1, 0.4, None),
    ]


def test_references_are_queries_against_the_others(
    fresh_database: Database, library: SyntheticLibrary
) -> None:
    publish(library)
    rows = query(
        fresh_database,
        "SELECT n, left_out_n, mean FROM mirpipe.v_ranking "
        "WHERE label = 'genre' AND queries = 'references' AND rerank = 'cosine' "
        "AND metric = 'mrr'",
    )
    # For north and for east, `east, a little up` ranks above the other folk reference.
    assert rows == [(2, 2, pytest.approx(1 / 2))]


def test_one_common_genre_makes_a_reference_relevant(fresh_database: Database) -> None:
    """Public report: gonic#416."""
    for name in ("first", "second"):
        library = SyntheticLibrary(fresh_database.app, name=name)
        if name == "first":
            ids = [
                library.add("reference", "east", [1, 0, 0], labels={"genre": "Jazz"}),
                library.add("reference", "north", [0, 1, 0], labels={"genre": "Rock; Bossa Nova"}),
                library.add("reference", "up", [0, 0, 1], labels={"genre": "Bossa"}),
                library.add("target", "t", [1, 0.2, 0.1], labels={"genre": "Bossa Nova; Jazz"}),
            ]
        else:
            vectors = ([1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0.2, 0.1])
            for track_id, vector in zip(ids, vectors, strict=True):
                library.set_vector(track_id, vector)
    publish(library)
    rows = query(
        fresh_database,
        "SELECT encoder, metric, n, mean FROM mirpipe.v_ranking WHERE label = 'genre' "
        "AND queries = 'targets' AND rerank <> 'csls' AND metric IN ('map', 'p_at_5') "
        "ORDER BY encoder, metric",
    )
    assert rows == [
        ("first", "map", 1, 1.0),
        ("first", "p_at_5", 1, 2 / 5),
        ("fusion", "map", 1, 1.0),
        ("fusion", "p_at_5", 1, 2 / 5),
        ("second", "map", 1, 1.0),
        ("second", "p_at_5", 1, 2 / 5),
    ]


def test_a_label_of_no_reference_has_no_rows(
    fresh_database: Database, library: SyntheticLibrary
) -> None:
    publish(library)
    assert query(fresh_database, "SELECT DISTINCT label FROM mirpipe.v_ranking") == [("genre",)]


def test_hubs_are_counted_among_all_references(
    fresh_database: Database, library: SyntheticLibrary
) -> None:
    library.add("target", "nearer east", [1, 0.02, 0])
    publish(library)
    rows = query(
        fresh_database,
        "SELECT k, largest, largest_reference, never_retrieved_share, n, references_n "
        "FROM mirpipe.v_hubness WHERE queries = 'targets' AND rerank = 'cosine' AND k = 1",
    )
    assert rows == [(1, 2, "east", 0.5, 3, 4)]
    hubs = query(
        fresh_database,
        "SELECT rank, reference, retrieved_n, share FROM mirpipe.v_hubs "
        "WHERE queries = 'targets' AND rerank = 'cosine' AND k = 1 ORDER BY rank",
    )
    assert hubs == [(1, "east", 2, pytest.approx(2 / 3)), (2, "up", 1, pytest.approx(1 / 3))]


def test_own_content_is_no_match_and_not_relevant(
    fresh_database: Database, library: SyntheticLibrary
) -> None:
    library.add("target", "east", [1, 0, 0], labels={"genre": "folk"})
    library.add("target", "north", [0, 1, 0], labels={"genre": "folk"})
    publish(library)
    own_matches = query(
        fresh_database,
        "SELECT target, reference FROM mirpipe.v_reranked WHERE target = reference",
    )
    assert own_matches == []
    rows = query(
        fresh_database,
        "SELECT n, mean FROM mirpipe.v_ranking WHERE label = 'genre' AND queries = 'targets' "
        "AND rerank = 'cosine' AND metric = 'map'",
    )
    # The average precision of `near east` is 5/6. That of east and of north is 1/2, because each of
    # them has the other one at rank 2.
    assert rows == [(3, pytest.approx((5 / 6 + 1 / 2 + 1 / 2) / 3))]


def test_csls_follows_its_formula(fresh_database: Database, library: SyntheticLibrary) -> None:
    publish(library)
    vectors = {name: np.array(vector, float) for name, (vector, _) in REFERENCES.items()}
    units = {name: vector / np.linalg.norm(vector) for name, vector in vectors.items()}
    target = np.array([1, 0.01, 0]) / np.linalg.norm([1, 0.01, 0])
    target_r = np.mean([target @ unit for unit in units.values()])
    rows = query(
        fresh_database,
        "SELECT reference, cosine_rank, cosine, csls_rank, csls FROM mirpipe.v_reranked "
        "WHERE target = 'near east' ORDER BY csls_rank",
    )
    assert len(rows) == 4
    scores = []
    for reference, _, cosine, _, csls in rows:
        vector = units[str(reference)]
        cosines = [vector @ other for name, other in units.items() if name != reference]
        assert cosine == pytest.approx(target @ vector, abs=1e-6)
        assert csls == pytest.approx(2 * (target @ vector) - target_r - np.mean(cosines), abs=1e-6)
        scores.append(csls)
    assert scores == sorted(scores, reverse=True)
    assert sorted(row[1] for row in rows) == [1, 2, 3, 4]


def test_accuracy_of_csls_is_stored_with_its_sample_sizes(
    fresh_database: Database, library: SyntheticLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = "SELECT targets_n, references_n, is_sample, top1_equal, base_n FROM mirpipe.v_csls"
    publish(library)
    assert query(fresh_database, columns) == [(2, 4, False, 1.0, 4)]
    assert query(fresh_database, "SELECT base_targets_n FROM mirpipe.v_csls") == [(None,)]
    monkeypatch.setattr(csls_accuracy, "MAX_REFERENCES", 3)
    library.add("target", "third", [0.3, 1, 0])
    publish(library)
    assert [row[:3] for row in query(fresh_database, columns)] == [(3, 3, True)]


def test_csls_of_a_large_library_uses_a_base_of_references(
    fresh_database: Database, library: SyntheticLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csls_reranking, "MIN_BASE", 2)
    monkeypatch.setattr(csls_reranking, "MAX_COSINES", 1)
    publish(library)
    [row] = query(
        fresh_database,
        "SELECT base_n, base_targets_n, base_top1_equal, base_top10_overlap FROM mirpipe.v_csls",
    )
    assert row == (2, 2, 1.0, 1.0)
    first, second = sorted(REFERENCES, key=sha256)[:2]
    units = {name: unit(vector).astype(float) for name, (vector, _) in REFERENCES.items()}
    target = unit([1, 0.01, 0]).astype(float)
    target_r = np.mean([target @ units[first], target @ units[second]])
    [(csls,)] = query(
        fresh_database,
        f"SELECT csls FROM mirpipe.v_reranked WHERE target = 'near east' AND reference = '{first}'",
    )
    expected = 2 * (target @ units[first]) - target_r - units[first] @ units[second]
    assert csls == pytest.approx(expected, abs=1e-6)


def test_encoders_are_compared_and_fused(fresh_database: Database) -> None:
    first = SyntheticLibrary(fresh_database.app, name="first")
    second = SyntheticLibrary(fresh_database.app, name="second")
    ids = {name: first.add("reference", name, vector) for name, (vector, _) in REFERENCES.items()}
    for name, track_id in ids.items():
        second.set_vector(track_id, [1, 0, 0] if name == "up" else [0, 1, len(name)])
    target = first.add("target", "near east", [1, 0.01, 0])
    second.set_vector(target, [1, 0, 0])
    publish(first)
    [(rbo, top1, n)] = query(
        fresh_database, "SELECT rbo, top1, n FROM mirpipe.v_agreement WHERE encoder = 'first'"
    )
    assert (top1, n) == (0.0, 1)
    assert 0 < float(str(rbo)) < 1
    ranks = dict(
        query(  # type: ignore[arg-type]
            fresh_database,
            "SELECT reference, array_agg(rank) FROM mirpipe.v_retrieval GROUP BY reference",
        )
    )
    fusion = query(
        fresh_database, "SELECT reference, score, encoders FROM mirpipe.v_fusion ORDER BY rank"
    )
    assert len(fusion) == 4
    for reference, score, encoders in fusion:
        assert score == pytest.approx(sum(1 / (60 + rank) for rank in ranks[reference]))
        assert encoders == ["first", "second"]


def test_fusion_has_all_measures_by_label_and_ignores_random_weights(
    fresh_database: Database, library: SyntheticLibrary
) -> None:
    tracks = library.rows("SELECT track_id, title FROM mirpipe.track")
    for name in ("second", "third"):
        encoder = SyntheticLibrary(fresh_database.app, name=name)
        for track_id, title in tracks:
            encoder.set_vector(track_id, [1, 0, len(title)])
    library.execute(
        "UPDATE mirpipe.encoder SET spec = spec || '{\"is_random\": true}' WHERE name = 'third'"
    )
    publish(library)
    [(encoders,)] = query(fresh_database, "SELECT DISTINCT encoders FROM mirpipe.v_fusion")
    assert encoders == ["made_up", "second"]
    fusion = [
        title
        for (title,) in query(
            fresh_database,
            "SELECT reference FROM mirpipe.v_fusion WHERE target = 'near east' ORDER BY rank",
        )
    ]
    rows = query(
        fresh_database,
        "SELECT metric, n, left_out_n, mean FROM mirpipe.v_ranking "
        "WHERE rerank = 'fusion' AND encoder = 'fusion' ORDER BY metric",
    )
    first, second = sorted(fusion.index(title) + 1 for title in ("east", "north"))
    assert rows == [
        ("map", 1, 1, pytest.approx((1 / first + 2 / second) / 2)),
        ("mrr", 1, 1, pytest.approx(1 / first)),
        ("p_at_1", 1, 1, float(first == 1)),
        ("p_at_10", 1, 1, pytest.approx(0.2)),
        ("p_at_5", 1, 1, pytest.approx(0.4)),
    ]


def test_unchanged_report_adds_nothing_and_history_contains_every_run(
    fresh_database: Database, library: SyntheticLibrary
) -> None:
    first = publish(library)
    count = "SELECT count(*) FROM mirpipe.run_ranking"
    before = query(fresh_database, count)
    publish(library)
    assert query(fresh_database, count) == before
    library.add("reference", "east again", [1, 0.001, 0], labels={"genre": "folk"})
    second = publish(library)
    for view in ("v_ranking_history", "v_hubness_history"):
        assert query(fresh_database, f"SELECT DISTINCT run_id FROM mirpipe.{view} ORDER BY 1") == [
            (first,),
            (second,),
        ]
    assert query(fresh_database, "SELECT DISTINCT run_id FROM mirpipe.run_answer") == [(second,)]


def test_a_library_with_one_reference_has_no_csls(fresh_database: Database) -> None:
    library = SyntheticLibrary(fresh_database.app)
    library.add("reference", "east", [1, 0, 0], labels={"genre": "folk"})
    library.add("target", "near east", [1, 0.01, 0], labels={"genre": "folk"})
    publish(library)
    assert query(
        fresh_database, "SELECT DISTINCT rerank, mean FROM mirpipe.v_ranking WHERE metric = 'mrr'"
    ) == [("cosine", 1.0)]
    assert query(fresh_database, "SELECT count(*) FROM mirpipe.v_csls") == [(0,)]


def test_a_report_reads_each_vector_once_for_all_rankings(
    library: SyntheticLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(full_ranking, "MAX_PRODUCTS", 4)  # One query at a time.
    read: list[int] = []

    def count(connection: Connection, encoder_id: int, track_ids: Int64) -> object:
        read.extend(track_ids.tolist())
        return read_vectors(connection, encoder_id, track_ids)

    monkeypatch.setattr(track_vectors, "read_vectors", count)
    monkeypatch.setattr(stored_vectors, "read_vectors", count)
    retrieve()
    new_run = (
        "INSERT INTO mirpipe.run (trigger, state_digest, library) "
        "VALUES ('test', '', '{}') RETURNING run_id"
    )
    with library.app.begin() as connection:
        activate_complete_revisions(connection)
        run_id = connection.execute(text(new_run)).scalar_one()
        insert_ranking_results(connection, run_id)
    assert len(read) == len(set(read)) == 6


def test_a_setting_limits_the_ranked_targets_and_the_run_says_so(
    fresh_database: Database, library: SyntheticLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(library)
    assert ranking_measurement_sentences() == ""
    ranked = (
        "SELECT run_id, n FROM mirpipe.v_hubness_history "
        "WHERE queries = 'targets' AND rerank = 'cosine' AND k = 1 ORDER BY run_id"
    )
    assert query(fresh_database, ranked) == [(1, 2)]
    monkeypatch.setenv("MIRPIPE_RANKED_TARGETS", "1")
    settings.cache_clear()

    assert report(trigger="test").changed
    assert not report(trigger="test").changed

    assert query(fresh_database, ranked) == [(1, 2), (2, 1)]
    stored = query(fresh_database, "SELECT ranked_targets FROM mirpipe.run ORDER BY run_id")
    assert stored == [(None,), (1,)]
    assert "at most 1 of 2 targets" in ranking_measurement_sentences()
    lowest_hash = (
        "SELECT title FROM mirpipe.track WHERE collection = 'target' ORDER BY content_sha256"
    )
    by_csls = "SELECT DISTINCT target FROM mirpipe.v_reranked WHERE csls_rank IS NOT NULL"
    assert query(fresh_database, by_csls) == query(fresh_database, lowest_hash)[:1]
