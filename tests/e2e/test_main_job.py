"""The main job by Airflow's own scheduler over real Postgres, and once more with nothing new."""

import pytest
from sqlalchemy import text

from mirpipe.generation.modes import MODES
from tests.e2e.conftest import REFERENCES, TARGETS, Place, Up

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]


def count(place: Place) -> dict[str, int]:
    tables = (
        *("embedding", "melody", "pair_score", "run", "served_neighbour"),
        *("track_feature", "caption", "generation"),
    )
    with place.reading() as connection:
        return {
            table: connection.execute(text(f"SELECT count(*) FROM mirpipe.{table}")).scalar_one()
            for table in tables
        }


def test_from_an_empty_home_to_answers(undisturbed: tuple[Place, Up]) -> None:
    place, up = undisturbed
    for word in ("musicnn", "signal", "resynth", *TARGETS):
        assert word in up.text
    assert place.processes() == []
    targets, clips = len(TARGETS), len(TARGETS) * len(MODES)
    tracks, pairs = len(REFERENCES) + targets + clips, len(REFERENCES) * targets
    assert count(place) == {
        "embedding": 2 * tracks,
        "melody": tracks,
        "pair_score": 7 * (pairs + clips),  # all numbers of melodies
        "run": 2,  # of the library, and of the clips
        "served_neighbour": 2 * pairs,
        "track_feature": tracks,
        "caption": targets,
        "generation": clips,
    }
    with place.reading() as connection:
        triggers = connection.execute(text("SELECT trigger FROM mirpipe.run")).scalars().all()
        nearest = connection.execute(
            text(
                "SELECT reference FROM mirpipe.v_retrieval "
                "WHERE encoder = 'signal' AND rank = 1 AND target = '茉莉花（笛子）'"
            )
        ).scalar_one()
        made = connection.execute(
            text(
                "SELECT DISTINCT mode, guidance, n FROM mirpipe.v_generation_summary "
                "WHERE metric IN ('cosine musicnn', 'cosine signal')"
            )
        ).all()
    assert all(trigger.startswith("asset_triggered") for trigger in triggers), "caused by nothing"
    assert sorted(made) == [("medium", None, 3), ("simple", None, 3), ("strong", None, 3)]
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
