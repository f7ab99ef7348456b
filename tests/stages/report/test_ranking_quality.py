"""What a report says of rankings, by cosine and by CSLS, of hubs, agreement and fusion."""

import numpy as np
import pytest
from sqlalchemy import text

from mirpipe.stages.report import csls_reranking, report
from mirpipe.stages.retrieve import retrieve
from tests.support.databases import Database
from tests.support.synthetic_library import SyntheticLibrary, sha256, unit

REFERENCES = {
    "east": ([1, 0, 0], "folk"),
    "east, a little up": ([1, 0.2, 0], "jazz"),
    "north": ([0, 1, 0], "folk"),
    "up": ([0, 0, 1], None),
}


def ask(database: Database, query: str) -> list[tuple[object, ...]]:
    with database.reader.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


@pytest.fixture
def library(fresh_database: Database) -> SyntheticLibrary:
    """Four references and the targets `near east` (folk) and `near up`, of a genre by itself."""
    made = SyntheticLibrary(fresh_database.app)
    for name, (vector, genre) in REFERENCES.items():
        made.add("reference", name, vector, labels={} if genre is None else {"genre": genre})
    made.add("target", "near east", [1, 0.01, 0], labels={"genre": "folk"})
    made.add("target", "near up", [0.1, 0, 1], labels={"genre": "polka"})
    return made


def published(library: SyntheticLibrary) -> int:
    retrieve()
    return report(trigger="test").run_id


def test_measures_of_a_known_ranking_are_those_worked_out_by_hand(
    fresh_database: Database, library: SyntheticLibrary
) -> None:
    published(library)
    found = ask(
        fresh_database,
        "SELECT metric, n, left_out_n, mean, low FROM mirpipe.v_ranking "
        "WHERE label = 'genre' AND queries = 'targets' AND rerank = 'cosine' ORDER BY metric",
    )
    # of `near east`, folk is at ranks 1 and 3; `near up` has no reference of its genre
    assert found == [
        ("map", 1, 1, pytest.approx((1 + 2 / 3) / 2), None),
        ("mrr", 1, 1, 1.0, None),
        ("p_at_1", 1, 1, 1.0, None),
        ("p_at_10", 1, 1, 0.2, None),
        ("p_at_5", 1, 1, 0.4, None),
    ]


def test_references_are_queries_against_the_others(
    fresh_database: Database, library: SyntheticLibrary
) -> None:
    published(library)
    found = ask(
        fresh_database,
        "SELECT n, left_out_n, mean FROM mirpipe.v_ranking "
        "WHERE label = 'genre' AND queries = 'references' AND rerank = 'cosine' "
        "AND metric = 'mrr'",
    )
    # north: `east, a little up` stands above east; east: `east, a little up` above north
    assert found == [(2, 2, pytest.approx(1 / 2))]


def test_label_that_no_reference_has_gives_no_row(
    fresh_database: Database, library: SyntheticLibrary
) -> None:
    published(library)
    assert ask(fresh_database, "SELECT DISTINCT label FROM mirpipe.v_ranking") == [("genre",)]


def test_hubs_are_counted_among_all_references(
    fresh_database: Database, library: SyntheticLibrary
) -> None:
    library.add("target", "nearer east", [1, 0.02, 0])
    published(library)
    found = ask(
        fresh_database,
        "SELECT k, largest, largest_reference, never_retrieved_share, n, references_n "
        "FROM mirpipe.v_hubness WHERE queries = 'targets' AND rerank = 'cosine' AND k = 1",
    )
    assert found == [(1, 2, "east", 0.5, 3, 4)]
    hubs = ask(
        fresh_database,
        "SELECT rank, reference, retrieved_n, share FROM mirpipe.v_hubs "
        "WHERE queries = 'targets' AND rerank = 'cosine' AND k = 1 ORDER BY rank",
    )
    assert hubs == [(1, "east", 2, pytest.approx(2 / 3)), (2, "up", 1, pytest.approx(1 / 3))]


def test_own_content_is_no_answer_and_not_relevant(
    fresh_database: Database, library: SyntheticLibrary
) -> None:
    library.add("target", "east", [1, 0, 0], labels={"genre": "folk"})
    library.add("target", "north", [0, 1, 0], labels={"genre": "folk"})
    published(library)
    reached = ask(
        fresh_database,
        "SELECT target, reference FROM mirpipe.v_reranked WHERE target = reference",
    )
    assert reached == []
    found = ask(
        fresh_database,
        "SELECT n, mean FROM mirpipe.v_ranking WHERE label = 'genre' AND queries = 'targets' "
        "AND rerank = 'cosine' AND metric = 'map'",
    )
    # near east 5/6; east finds north at rank 2 of 3, north finds east at rank 2
    assert found == [(3, pytest.approx((5 / 6 + 1 / 2 + 1 / 2) / 3))]


def test_csls_beside_cosine_follows_its_formula(
    fresh_database: Database, library: SyntheticLibrary
) -> None:
    published(library)
    vectors = {name: np.array(vector, float) for name, (vector, _) in REFERENCES.items()}
    units = {name: vector / np.linalg.norm(vector) for name, vector in vectors.items()}
    target = np.array([1, 0.01, 0]) / np.linalg.norm([1, 0.01, 0])
    own = np.mean([target @ unit for unit in units.values()])
    rows = ask(
        fresh_database,
        "SELECT reference, cosine_rank, cosine, csls_rank, csls FROM mirpipe.v_reranked "
        "WHERE target = 'near east' ORDER BY csls_rank",
    )
    assert len(rows) == 4
    scores = []
    for reference, _, cosine, _, csls in rows:
        its = units[str(reference)]
        others = [its @ other for name, other in units.items() if name != reference]
        assert cosine == pytest.approx(target @ its, abs=1e-6)
        assert csls == pytest.approx(2 * (target @ its) - own - np.mean(others), abs=1e-6)
        scores.append(csls)
    assert scores == sorted(scores, reverse=True)
    assert sorted(row[1] for row in rows) == [1, 2, 3, 4]


def test_agreement_of_csls_says_over_what_it_was_computed(
    fresh_database: Database, library: SyntheticLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = "SELECT targets_n, references_n, is_sample, top1_equal, base_n FROM mirpipe.v_csls"
    published(library)
    assert ask(fresh_database, asked) == [(2, 4, False, 1.0, 4)]
    assert ask(fresh_database, "SELECT base_targets_n FROM mirpipe.v_csls") == [(None,)]
    monkeypatch.setattr(csls_reranking, "FULL_REFERENCES", 3)
    library.add("target", "third", [0.3, 1, 0])
    published(library)
    assert [row[:3] for row in ask(fresh_database, asked)] == [(3, 3, True)]


def test_large_library_looks_for_neighbourhoods_among_some_references(
    fresh_database: Database, library: SyntheticLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csls_reranking, "FEWEST_BASE", 2)
    monkeypatch.setattr(csls_reranking, "PAIRS", 1)
    published(library)
    [row] = ask(
        fresh_database,
        "SELECT base_n, base_targets_n, base_top1_equal, base_top10_overlap FROM mirpipe.v_csls",
    )
    assert row == (2, 2, 1.0, 1.0)
    first, second = sorted(REFERENCES, key=sha256)[:2]
    units = {name: unit(vector).astype(float) for name, (vector, _) in REFERENCES.items()}
    target = unit([1, 0.01, 0]).astype(float)
    own = np.mean([target @ units[first], target @ units[second]])
    [(csls,)] = ask(
        fresh_database,
        f"SELECT csls FROM mirpipe.v_reranked WHERE target = 'near east' AND reference = '{first}'",
    )
    expected = 2 * (target @ units[first]) - own - units[first] @ units[second]
    assert csls == pytest.approx(expected, abs=1e-6)


def test_encoders_are_compared_and_fused(fresh_database: Database) -> None:
    one = SyntheticLibrary(fresh_database.app, name="one")
    other = SyntheticLibrary(fresh_database.app, name="other")
    ids = {name: one.add("reference", name, vector) for name, (vector, _) in REFERENCES.items()}
    for name, at in ids.items():
        other.embed(at, [1, 0, 0] if name == "up" else [0, 1, len(name)])
    target = one.add("target", "near east", [1, 0.01, 0])
    other.embed(target, [1, 0, 0])
    published(one)
    [(rbo, top1, n)] = ask(
        fresh_database, "SELECT rbo, top1, n FROM mirpipe.v_agreement WHERE encoder = 'one'"
    )
    assert (top1, n) == (0.0, 1)
    assert 0 < float(str(rbo)) < 1
    ranks = dict(
        ask(  # type: ignore[arg-type]
            fresh_database,
            "SELECT reference, array_agg(rank) FROM mirpipe.v_retrieval GROUP BY reference",
        )
    )
    fusion = ask(
        fresh_database, "SELECT reference, score, encoders FROM mirpipe.v_fusion ORDER BY rank"
    )
    assert len(fusion) == 4
    for reference, score, encoders in fusion:
        assert score == pytest.approx(sum(1 / (60 + rank) for rank in ranks[reference]))
        assert encoders == ["one", "other"]


def test_fusion_is_held_to_labels_and_leaves_random_weights_out(
    fresh_database: Database, library: SyntheticLibrary
) -> None:
    tracks = library.rows("SELECT track_id, title FROM mirpipe.track")
    for name in ("second", "third"):
        more = SyntheticLibrary(fresh_database.app, name=name)
        for at, title in tracks:
            more.embed(at, [1, 0, len(title)])
    library.run(
        'UPDATE mirpipe.encoder SET spec = spec || \'{"checkpoint": "random"}\' '
        "WHERE name = 'third'"
    )
    published(library)
    [(encoders,)] = ask(fresh_database, "SELECT DISTINCT encoders FROM mirpipe.v_fusion")
    assert encoders == ["made_up", "second"]
    found = ask(
        fresh_database,
        "SELECT metric, n, left_out_n, mean FROM mirpipe.v_ranking "
        "WHERE rerank = 'fusion' AND encoder = 'fusion' ORDER BY metric",
    )
    assert [row[:3] for row in found] == [("p_at_1", 1, 1), ("p_at_10", 1, 1), ("p_at_5", 1, 1)]
    assert found[1][3] == pytest.approx(0.2)


def test_report_without_a_change_adds_nothing_and_history_keeps_every_run(
    fresh_database: Database, library: SyntheticLibrary
) -> None:
    first = published(library)
    count = "SELECT count(*) FROM mirpipe.run_ranking"
    before = ask(fresh_database, count)
    published(library)
    assert ask(fresh_database, count) == before
    library.add("reference", "east again", [1, 0.001, 0], labels={"genre": "folk"})
    second = published(library)
    for view in ("v_ranking_history", "v_hubness_history"):
        assert ask(fresh_database, f"SELECT DISTINCT run_id FROM mirpipe.{view} ORDER BY 1") == [
            (first,),
            (second,),
        ]
    assert ask(fresh_database, "SELECT DISTINCT run_id FROM mirpipe.run_answer") == [(second,)]


def test_one_reference_has_no_neighbourhood_and_no_csls(fresh_database: Database) -> None:
    library = SyntheticLibrary(fresh_database.app)
    library.add("reference", "east", [1, 0, 0], labels={"genre": "folk"})
    library.add("target", "near east", [1, 0.01, 0], labels={"genre": "folk"})
    published(library)
    assert ask(
        fresh_database, "SELECT DISTINCT rerank, mean FROM mirpipe.v_ranking WHERE metric = 'mrr'"
    ) == [("cosine", 1.0)]
    assert ask(fresh_database, "SELECT count(*) FROM mirpipe.v_csls") == [(0,)]
