"""The main job runs with Airflow's scheduler and a real Postgres, then again with nothing new."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import text

from mirpipe.generation.modes import MODES
from mirpipe.orchestration.plan_limit import ASSUMED_SECONDS
from tests.e2e.conftest import REFERENCES, TARGETS, Installation, Up

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]


def count(installation: Installation) -> dict[str, int]:
    tables = (
        *("embedding", "melody", "pair_score", "run", "served_neighbour"),
        *("track_feature", "caption", "generation"),
    )
    with installation.read_connection() as connection:
        return {
            table: connection.execute(text(f"SELECT count(*) FROM mirpipe.{table}")).scalar_one()
            for table in tables
        }


def test_the_main_job_computes_all_results_in_an_empty_home(
    undisturbed: tuple[Installation, Up],
) -> None:
    installation, up = undisturbed
    for word in ("musicnn", "signal", "resynth", *TARGETS):
        assert word in up.text
    assert installation.processes() == []
    targets, clips = len(TARGETS), len(TARGETS) * len(MODES)
    tracks, pairs = len(REFERENCES) + targets + clips, len(REFERENCES) * targets
    assert count(installation) == {
        "embedding": 2 * tracks,
        "melody": tracks,
        "pair_score": 9 * (pairs + clips),  # all melody metrics
        "run": 2,  # one for the library, one for the clips
        "served_neighbour": 2 * pairs,
        "track_feature": tracks,
        "caption": targets,
        "generation": clips,
    }
    with installation.read_connection() as connection:
        triggers = connection.execute(text("SELECT trigger FROM mirpipe.run")).scalars().all()
        best_match = connection.execute(
            text(
                "SELECT reference FROM mirpipe.v_retrieval "
                "WHERE encoder = 'signal' AND rank = 1 AND target = '茉莉花（笛子）'"
            )
        ).scalar_one()
        generated = connection.execute(
            text(
                "SELECT DISTINCT mode, guidance, n FROM mirpipe.v_generation_summary "
                "WHERE metric IN ('cosine musicnn', 'cosine signal')"
            )
        ).all()
    assert all(trigger.startswith("asset_triggered") for trigger in triggers), triggers
    assert sorted(generated) == [("medium", None, 3), ("simple", None, 3), ("strong", None, 3)]
    assert best_match in REFERENCES


def test_a_second_run_does_no_work(undisturbed: tuple[Installation, Up]) -> None:
    installation, first = undisturbed
    before, digest = count(installation), installation.digest()
    second = Up(installation)
    try:
        assert second.wait() == 0, second.text
    finally:
        second.close()
    assert "no changes: finished work was skipped" in second.text, second.text
    assert [line for line in second.lines if "│" in line] == [
        line for line in first.lines if "│" in line
    ]
    assert installation.processes() == []
    assert (count(installation), installation.digest()) == (before, digest)


def test_results_are_reported_before_all_tracks_are_embedded(
    new_installation: Callable[[], Installation],
) -> None:
    plugins, tracks, limit = 3, len(REFERENCES) + len(TARGETS), 4
    hours = (limit + 0.5) * plugins * ASSUMED_SECONDS / 3600
    limited = {"MIRPIPE_SLOTS": "1", "MIRPIPE_PLAN_HOURS": str(hours), "MIRPIPE_CAPTIONER": ""}
    installation = replace(new_installation(), settings=limited)
    up = Up(installation)
    try:
        assert up.wait() == 0, up.text
    finally:
        up.close()
    assert f"{limit} of {tracks} tracks are embedded; the next run continues" in up.text
    with installation.read_connection() as connection:
        encoders = connection.execute(
            text("SELECT run_id, references_n, targets_n FROM mirpipe.run_encoder ORDER BY run_id")
        ).all()
        triggers = connection.execute(text("SELECT trigger FROM mirpipe.run")).scalars().all()
    assert encoders[0][1:] == (limit // 2, limit // 2)
    assert encoders[-1][1:] == (len(REFERENCES), len(TARGETS))
    assert len(triggers) > 1
    assert all(trigger.startswith("asset_triggered") for trigger in triggers), triggers
    counts = count(installation)
    assert counts["embedding"] == 2 * tracks
    assert counts["melody"] == counts["track_feature"] == tracks
    assert counts["pair_score"] == 9 * len(REFERENCES) * len(TARGETS)
