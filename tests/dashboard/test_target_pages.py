"""Tests of the order of targets, and of queries that read only the targets of a page."""

import re

import pytest
from sqlalchemy import text

from mirpipe.db import queries
from mirpipe.db.queries.target_order import target_label_values, target_order
from tests.dashboard.open_page import HOSTILE
from tests.support.databases import Database


def titles(target_ids: list[int]) -> list[str]:
    title_of = {target.track_id: target.title for target in queries.targets()}
    return [title_of[target_id] for target_id in target_ids]


def test_targets_are_sorted_by_title_or_by_their_mean_z(filled: Database) -> None:
    by_title = target_order()
    assert titles(by_title) == [target.title for target in queries.targets() if target.has_matches]
    z_of: dict[int, list[float]] = {}
    for row in queries.best_match_scores():
        if row.counts and row.z is not None:
            z_of.setdefault(row.target_id, []).append(row.z)
    mean_of = {target_id: sum(values) / len(values) for target_id, values in z_of.items()}
    lowest_first = target_order(order="lowest first")
    assert [mean_of[target_id] for target_id in lowest_first] == sorted(mean_of.values())
    assert sorted(lowest_first) == sorted(by_title)


def test_targets_are_searched_and_filtered_by_label(filled: Database) -> None:
    assert target_label_values("genre") == ["<i>jazz</i>"]
    assert titles(target_order(labels={"genre": "<i>jazz</i>"})) == [HOSTILE]
    assert target_order(labels={"instrument": "tuba"}) == []
    assert titles(target_order(search="LONG go")) == ["long gone"]


def test_scores_of_chosen_targets_are_those_of_all_targets(filled: Database) -> None:
    everything = queries.best_match_scores()
    chosen = target_order()[1:]
    expected = [row for row in everything if row.target_id in chosen]
    assert expected
    assert queries.best_match_scores(chosen) == expected


def test_the_clips_of_one_target_are_found_without_listing_all_clips(
    fresh_database: Database,
) -> None:
    query = "EXPLAIN (COSTS OFF) SELECT * FROM mirpipe.v_generation_score WHERE target_id = 7"
    with fresh_database.reader.connect() as connection:
        plan = "\n".join(connection.execute(text(query)).scalars())
    # The plan of a large library depends on this condition on the table track.
    assert re.search(r"\(track_id = '?7", plan), plan


@pytest.mark.parametrize("label", ["genre", "instrument"])
def test_an_empty_library_has_no_labels(fresh_database: Database, label: str) -> None:
    assert target_label_values(label) == []
