"""Label rankings, hubs, agreement and other rankings from the latest run or all runs."""

from io import StringIO

import pytest
from rich.console import Console

from mirpipe.cli.ranking_table import ranking_table
from mirpipe.db import queries
from mirpipe.stages.report import report
from mirpipe.stages.retrieve import retrieve
from tests.support.databases import Database
from tests.support.synthetic_library import SyntheticLibrary


@pytest.fixture
def library(fresh_database: Database) -> SyntheticLibrary:
    """Return a library with one run, three references, one target and two equal encoders."""
    synthetic = SyntheticLibrary(fresh_database.app)
    other = SyntheticLibrary(fresh_database.app, name="other")
    for collection, title, vector, genre in (
        ("reference", "east", [1, 0, 0], "folk"),
        ("reference", "north", [0, 1, 0], "jazz"),
        ("reference", "up", [0, 0.1, 1], "folk"),
        ("target", "near north", [0.1, 1, 0], "jazz"),
    ):
        track_id = synthetic.add(collection, title, vector, labels={"genre": genre})
        other.set_vector(track_id, vector)
    retrieve()
    report(trigger="test")
    return synthetic


def test_rankings_are_of_the_latest_run_and_histories_of_all_runs(
    library: SyntheticLibrary,
) -> None:
    rankings = [row for row in queries.label_rankings() if row.queries == "targets"]
    assert {(row.encoder, row.rerank) for row in rankings} == {
        ("made_up", "cosine"),
        ("made_up", "csls"),
        ("other", "cosine"),
        ("other", "csls"),
        ("fusion", "fusion"),
    }
    assert {row.mean for row in rankings if row.metric == "map"} == {1.0}
    library.add("reference", "west", [-1, 0, 0], labels={"genre": "folk"})
    retrieve()
    report(trigger="test")
    assert len({row.run_id for row in queries.label_rankings()}) == 1
    assert len({row.run_id for row in queries.label_rankings(history=True)}) == 2
    assert len({row.run_id for row in queries.hubness(history=True)}) == 2


def test_hubs_agreement_and_other_rankings_name_tracks(library: SyntheticLibrary) -> None:
    hubs = [row for row in queries.hubs() if row.queries == "targets" and row.k == 1]
    assert {(row.reference, row.retrieved_n, row.share) for row in hubs} == {("north", 1, 1.0)}
    agreements = queries.encoder_agreements()
    assert [(row.encoder, row.other, row.top1) for row in agreements] == [
        ("made_up", "other", 1.0),
        ("other", "made_up", 1.0),
    ]
    assert [row.rbo for row in agreements] == pytest.approx([1.0, 1.0])
    assert [row.reference for row in queries.fused_matches()] == ["north", "east", "up"]
    target_id = queries.targets()[0].track_id
    assert {row.reference for row in queries.reranked_matches(target_id)} == {"east", "north", "up"}
    assert queries.reranked_matches(-1) == []
    assert {row.references_n for row in queries.csls_checks()} == {3}


def test_without_clips_there_are_no_set_distances(library: SyntheticLibrary) -> None:
    assert queries.set_distances() == queries.set_distances(history=True) == []


def test_the_printed_table_has_one_row_per_encoder_and_ranking(library: SyntheticLibrary) -> None:
    printed = StringIO()
    Console(file=printed, width=160).print(ranking_table())
    lines = printed.getvalue().splitlines()
    assert "genre P@1 (1)" in printed.getvalue()
    [row] = [line for line in lines if "made_up" in line and "csls" in line]
    assert row.count("1.00") == 2


def test_without_labels_there_is_no_table(fresh_database: Database) -> None:
    assert ranking_table() is None
