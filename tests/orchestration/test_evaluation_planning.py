"""Plans for the tasks that embed, analyse and score."""

import sys
from collections import Counter
from pathlib import Path

import pytest

from mirpipe.db import queries
from mirpipe.db.store import failure_ledger, tracks
from mirpipe.errors import PluginError
from mirpipe.orchestration import evaluation_planning, plan_limit, stage_tasks
from mirpipe.orchestration.evaluation_planning import Plan
from mirpipe.settings import settings
from mirpipe.stages import analyse
from tests.support.audio_files import ingest_folder, tones
from tests.support.databases import Database
from tests.support.fake_gpu import add_gpu, compute_on_gpu
from tests.support.fake_plugins import add_fakes


@pytest.fixture
def _metric(fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Add three references, and configure one of the fake track metrics."""
    add_fakes(monkeypatch, "track_metrics")
    monkeypatch.setenv("MIRPIPE_METRICS", "tasteful")
    settings.cache_clear()
    tones(tmp_path / "audio", [300, 500, 700])
    ingest_folder(tmp_path / "audio", "reference")


def test_encoders_with_the_same_pending_tracks_share_a_task(
    fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIRPIPE_SLOTS", "2")
    settings.cache_clear()
    assert evaluation_planning.plan_embed().tasks == []
    tones(tmp_path, [300, 500])
    ingest_folder(tmp_path, "reference")

    def planned(*, on_gpu: bool | None = None) -> list[tuple[list[str], int]]:
        tasks = evaluation_planning.plan_embed(on_gpu=on_gpu).tasks
        return [(task["encoders"], len(task["track_ids"])) for task in tasks]

    assert planned() == [(["musicnn", "signal"], 2)], "less than a minute of work"
    assert planned(on_gpu=False) == [(["musicnn", "signal"], 1)] * 2, "workers share the work"
    monkeypatch.setattr(evaluation_planning, "ASSUMED_SECONDS", 20)
    assert planned() == [(["musicnn", "signal"], 1)] * 2
    assert [len(track_ids) for track_ids in evaluation_planning.plan_analyse().tasks] == [2]


@pytest.mark.parametrize(
    ("number", "seconds", "batch_tracks", "expected"),
    [
        (60, 15, 64, [60]),
        (60, 30, 64, [30, 30]),
        (60, 30, 20, [20, 20, 20]),
        (9, 240, 64, [5, 4]),
        (1, 3600, 64, [1]),
    ],
)
def test_slots_share_the_tracks_to_analyse_unless_their_tasks_would_be_short(
    fresh_database: Database,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    seconds: float,
    batch_tracks: int,
    expected: list[int],
) -> None:
    monkeypatch.setenv("MIRPIPE_SLOTS", "2")
    monkeypatch.setenv("MIRPIPE_BATCH_TRACKS", str(batch_tracks))
    settings.cache_clear()
    monkeypatch.setattr(analyse, "plan", lambda: list(range(number)))
    monkeypatch.setattr(tracks, "total_seconds", lambda _, track_ids: seconds * len(track_ids))
    plan = evaluation_planning.plan_analyse().tasks
    assert [len(track_ids) for track_ids in plan] == expected
    assert [track_id for track_ids in plan for track_id in track_ids] == list(range(number))


def test_an_encoder_that_is_broken_for_a_while_stays_pending(
    fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pending() -> dict[str, int]:
        return {work.plugin: work.items for work in queries.pending_work() if work.stage == "embed"}

    tones(tmp_path, [300])
    ingest_folder(tmp_path, "reference")
    evaluation_planning.plan_embed()
    assert pending() == {"musicnn": 1, "signal": 1}
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "mirpipe.plugins.encoders.signal", None)  # its import now fails
        assert {"encoders": ["signal"], "track_ids": []} in evaluation_planning.plan_embed().tasks
        assert pending() == {"musicnn": 1, "signal": 1}
        (failure,) = queries.unavailable_plugins()
        assert (failure.name, failure.reason) == ("signal", "ModuleNotFoundError")
        with pytest.raises(ImportError):
            stage_tasks.embed(["signal"], [])
    assert [task["encoders"] for task in evaluation_planning.plan_embed().tasks] == [
        ["musicnn", "signal"]
    ]
    assert queries.unavailable_plugins() == []


def test_the_other_encoders_are_planned_if_one_does_not_exist(
    fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIRPIPE_ENCODERS", "absent,signal")
    settings.cache_clear()
    tones(tmp_path, [300])
    ingest_folder(tmp_path, "reference")
    absent, signal = evaluation_planning.plan_embed().tasks
    assert absent == {"encoders": ["absent"], "track_ids": []}
    assert (signal["encoders"], len(signal["track_ids"])) == (["signal"], 1)
    with pytest.raises(PluginError, match="absent"):
        stage_tasks.embed(**absent)


@pytest.mark.usefixtures("_metric")
def test_a_score_task_has_a_metric_and_its_pending_tracks() -> None:
    tasks = evaluation_planning.plan_scores().tasks
    assert [(task["metric"], len(task["track_ids"])) for task in tasks] == [("tasteful", 3)]


@pytest.mark.usefixtures("_metric")
def test_all_gpus_share_the_tracks_to_score(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIRPIPE_GPU_SLOTS", "2")
    settings.cache_clear()
    add_gpu(monkeypatch)
    compute_on_gpu(monkeypatch, "track_metrics", "tasteful")
    tasks = evaluation_planning.plan_scores(on_gpu=True).tasks
    assert [(task["metric"], len(task["track_ids"])) for task in tasks] == [
        ("tasteful", 2),
        ("tasteful", 1),
    ]


@pytest.mark.usefixtures("_metric")
def test_no_scores_are_planned_without_track_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIRPIPE_METRICS", "")
    settings.cache_clear()
    assert evaluation_planning.plan_scores().tasks == []


@pytest.mark.usefixtures("_metric")
def test_a_new_track_metric_alone_is_pending_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation_planning, "plan_embed", lambda: Plan([]))
    monkeypatch.setattr(evaluation_planning, "plan_analyse", lambda: Plan([]))
    monkeypatch.setattr("mirpipe.db.queries.pending_work", list)
    assert evaluation_planning.has_pending_work()
    monkeypatch.setenv("MIRPIPE_METRICS", "")
    settings.cache_clear()
    assert not evaluation_planning.has_pending_work()


@pytest.mark.usefixtures("_metric")
def test_the_other_track_metrics_are_planned_if_one_does_not_exist(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MIRPIPE_METRICS", "absent,tasteful")
    settings.cache_clear()
    absent, tasteful = evaluation_planning.plan_scores().tasks
    assert absent == {"metric": "absent", "track_ids": []}
    assert (tasteful["metric"], len(tasteful["track_ids"])) == ("tasteful", 3)
    with pytest.raises(PluginError, match="absent"):
        stage_tasks.score(**absent)


@pytest.mark.usefixtures("_metric")
def test_each_group_of_workers_has_the_plugins_that_it_can_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MIRPIPE_METRICS", "tasteful,absent")
    settings.cache_clear()
    compute_on_gpu(monkeypatch, "encoders", "signal")
    compute_on_gpu(monkeypatch, "track_metrics", "tasteful")

    def planned(*, on_gpu: bool) -> set[str]:
        embed = evaluation_planning.plan_embed(on_gpu=on_gpu).tasks
        score = evaluation_planning.plan_scores(on_gpu=on_gpu).tasks
        encoders = {name for task in embed for name in task["encoders"]}
        return encoders | {task["metric"] for task in score}

    def pending() -> set[str]:
        stages = {"embed", "score"}
        return {work.plugin for work in queries.pending_work() if work.stage in stages}

    with monkeypatch.context() as on_machine_with_gpu:
        add_gpu(on_machine_with_gpu)
        assert planned(on_gpu=True) == {"signal", "tasteful"}
    # Here, torch is not installed. The other machine's plug-ins stay configured nevertheless.
    assert planned(on_gpu=False) == {"musicnn", "absent"}
    assert pending() == {"musicnn", "signal", "tasteful"}
    assert [failure.name for failure in queries.unavailable_plugins()] == ["absent"]


def _limit_plans(monkeypatch: pytest.MonkeyPatch, tracks: int) -> None:
    """Set the limit of each plan to this number of tracks."""
    plugins = 3  # two encoders and the analysis
    seconds = (tracks + 0.5) * plugins * plan_limit.ASSUMED_SECONDS
    monkeypatch.setenv("MIRPIPE_SLOTS", "1")
    monkeypatch.setenv("MIRPIPE_PLAN_HOURS", str(seconds / 3600))
    settings.cache_clear()
    assert plan_limit.largest_plan() == tracks


def _planned(database: Database) -> tuple[Counter[str], int]:
    """Return the number of tracks in the plan by collection, and the number that is left out."""
    plan = evaluation_planning.plan_embed()
    ids = [track_id for task in plan.tasks for track_id in task["track_ids"]]
    with database.app.connect() as connection:
        tracks_by_id = {each.track_id: each for each in tracks.usable_tracks(connection, ids)}
    return Counter(tracks_by_id[id_].collection for id_ in ids), plan.left_out


def test_a_limited_plan_has_references_and_targets(
    fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for collection, frequencies in (("reference", [300, 350, 400, 450]), ("target", [500, 550])):
        tones(tmp_path / collection, frequencies)
        ingest_folder(tmp_path / collection, collection)
    for limit, planned, left_out in (
        (2, {"reference": 1, "target": 1}, 4),
        (5, {"reference": 3, "target": 2}, 1),
        (6, {"reference": 4, "target": 2}, 0),
    ):
        _limit_plans(monkeypatch, limit)
        assert _planned(fresh_database) == (planned, left_out)
        assert evaluation_planning.plan_analyse().left_out == left_out
    _limit_plans(monkeypatch, 1)
    without = evaluation_planning.plan_embed(references=False)
    assert (sum(len(task["track_ids"]) for task in without.tasks), without.left_out) == (2, 4)
    assert sum(map(len, evaluation_planning.plan_analyse(references=False).tasks)) == 2


def test_all_stages_choose_the_same_tracks_and_failed_ones_come_last(
    fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tones(tmp_path, [300, 350, 400])
    ingest_folder(tmp_path, "reference")
    _limit_plans(monkeypatch, 1)
    (first,) = evaluation_planning.plan_embed().tasks
    assert evaluation_planning.plan_analyse().tasks == [first["track_ids"]]
    with fresh_database.app.begin() as connection:
        failure_ledger.update_for_tracks(
            connection,
            stage="embed",
            revision="any",
            succeeded=[],
            failed=[
                (track, MemoryError())
                for track in tracks.usable_tracks(connection, first["track_ids"])
            ],
        )
    (second,) = evaluation_planning.plan_embed().tasks
    assert second["track_ids"] != first["track_ids"]
    assert evaluation_planning.plan_analyse().tasks == [first["track_ids"]]


def test_runs_follow_each_other_only_while_they_process_tracks(
    fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tones(tmp_path, [300, 350, 400])
    ingest_folder(tmp_path, "reference")
    monkeypatch.setenv("MIRPIPE_ENCODERS", "signal")
    monkeypatch.setattr(plan_limit, "largest_plan", lambda: 1)
    settings.cache_clear()
    announced, runs = None, 0
    while True:
        plan = evaluation_planning.plan_embed()
        if runs != 1:  # The second run is killed before it embeds its track.
            stage_tasks.embed(**plan.tasks[0])
        runs += 1
        pending = evaluation_planning.pending_to_announce(plan.left_out, announced=announced)
        if pending is None:
            break
        announced = pending
    assert (runs, plan.left_out) == (2, 1)
    # The next night, the work goes on.
    stage_tasks.embed(**evaluation_planning.plan_embed().tasks[0])
    assert evaluation_planning.pending_to_announce(1, announced=announced) is not None
    last = evaluation_planning.plan_embed()
    assert (len(last.tasks), last.left_out) == (1, 0)
    assert evaluation_planning.pending_to_announce(0, announced=announced) is None
