"""Reads of rankings: what the views say as records, of the latest run or of all."""

from io import StringIO

import pytest
from rich.console import Console

from mirpipe.cli.ranking_tables import print_rankings
from mirpipe.db import queries
from mirpipe.stages.report import report
from mirpipe.stages.retrieve import retrieve
from tests.support.databases import Database
from tests.support.synthetic_library import SyntheticLibrary


@pytest.fixture
def library(fresh_database: Database) -> SyntheticLibrary:
    """Two encoders that agree on everything, three references and one target; reported on."""
    made = SyntheticLibrary(fresh_database.app)
    other = SyntheticLibrary(fresh_database.app, name="other")
    for collection, title, vector, genre in (
        ("reference", "east", [1, 0, 0], "folk"),
        ("reference", "north", [0, 1, 0], "jazz"),
        ("reference", "up", [0, 0.1, 1], "folk"),
        ("target", "near north", [0.1, 1, 0], "jazz"),
    ):
        track_id = made.add(collection, title, vector, labels={"genre": genre})
        other.set_vector(track_id, vector)
    retrieve()
    report(trigger="test")
    return made


def test_rankings_are_those_of_the_latest_run_and_history_those_of_all(
    library: SyntheticLibrary,
) -> None:
    latest = queries.rankings()
    assert {(one.encoder, one.rerank) for one in latest if one.queries == "targets"} == {
        ("made_up", "cosine"),
        ("made_up", "csls"),
        ("other", "cosine"),
        ("other", "csls"),
        ("fusion", "fusion"),
    }
    assert {one.mean for one in latest if one.metric == "map" and one.queries == "targets"} == {1.0}
    library.add("reference", "west", [-1, 0, 0], labels={"genre": "folk"})
    retrieve()
    report(trigger="test")
    assert len({one.run_id for one in queries.rankings()}) == 1
    assert len({one.run_id for one in queries.rankings(history=True)}) == 2
    assert len({one.run_id for one in queries.hubness(history=True)}) == 2


def test_hubs_agreement_and_further_answers_name_tracks(library: SyntheticLibrary) -> None:
    first = [one for one in queries.hubs() if one.queries == "targets" and one.k == 1]
    assert {(one.reference, one.retrieved_n, one.share) for one in first} == {("north", 1, 1.0)}
    assert [(one.encoder, one.other, one.top1) for one in queries.agreements()] == [
        ("made_up", "other", 1.0),
        ("other", "made_up", 1.0),
    ]
    assert [one.rbo for one in queries.agreements()] == pytest.approx([1.0, 1.0])
    assert [one.reference for one in queries.fused_matches()] == ["north", "east", "up"]
    target_id = queries.targets()[0].track_id
    assert {one.reference for one in queries.reranked_matches(target_id)} == {"east", "north", "up"}
    assert queries.reranked_matches(-1) == []
    assert {one.references_n for one in queries.csls_agreements()} == {3}


def test_nothing_generated_gives_no_distances(library: SyntheticLibrary) -> None:
    assert queries.set_distances() == queries.set_distances(history=True) == []


def test_printed_table_has_a_row_an_encoder_and_ranking(library: SyntheticLibrary) -> None:
    printed = StringIO()
    print_rankings(Console(file=printed, width=160))
    lines = printed.getvalue().splitlines()
    assert "genre P@1 (1)" in printed.getvalue()
    [row] = [line for line in lines if "made_up" in line and "csls" in line]
    assert row.count("1.00") == 2


def test_printed_table_is_left_out_where_no_label_can_be_held_to(fresh_database: Database) -> None:
    printed = StringIO()
    print_rankings(Console(file=printed, width=160))
    assert printed.getvalue() == ""
