"""The main job by Airflow's own scheduler over real Postgres, and once more with nothing new."""

import pytest
from sqlalchemy import text

from mirpipe.settings import cores
from tests.e2e.conftest import REFERENCES, TARGETS, Place, Up

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


def count(place: Place) -> dict[str, int]:
    tables = ("embedding", "embedding_batch", "melody", "pair_score", "run", "served_neighbour")
    with place.reading() as connection:
        return {
            table: connection.execute(text(f"SELECT count(*) FROM mirpipe.{table}")).scalar_one()
            for table in tables
        }


def test_from_an_empty_home_to_answers(undisturbed: tuple[Place, Up]) -> None:
    place, up = undisturbed
    for word in ("musicnn", "signal", *TARGETS):
        assert word in up.text
    assert place.processes() == []
    tracks, pairs = len(REFERENCES) + len(TARGETS), len(REFERENCES) * len(TARGETS)
    assert count(place) == {
        "embedding": 2 * tracks,
        "embedding_batch": 2 * min(2, cores()),  # of each encoder one a task, of which none idles
        "melody": tracks,
        "pair_score": pairs,
        "run": 1,
        "served_neighbour": 2 * pairs,
    }
    with place.reading() as connection:
        trigger = connection.execute(text("SELECT trigger FROM mirpipe.run")).scalar_one()
        nearest = connection.execute(
            text(
                "SELECT reference FROM mirpipe.v_retrieval "
                "WHERE encoder = 'signal' AND rank = 1 AND target = '茉莉花（笛子）'"
            )
        ).scalar_one()
    assert trigger.startswith("asset_triggered"), "the evaluation was not caused by the ingest"
    assert nearest in REFERENCES


def test_a_second_time_does_no_work_twice(undisturbed: tuple[Place, Up]) -> None:
    place, first = undisturbed
    before, digest = count(place), place.digest()
    again = Up(place)
    try:
        assert again.end() == 0, again.text
    finally:
        again.close()
    assert "nothing new: no work done twice" in again.text, again.text
    assert [line for line in again.said if "│" in line] == [
        line for line in first.said if "│" in line
    ]
    assert place.processes() == []
    assert (count(place), place.digest()) == (before, digest)
