"""Plans for the tasks of the DAG generate_music."""

from pathlib import Path

import pytest

from mirpipe.db import queries
from mirpipe.errors import ConfigurationError
from mirpipe.orchestration import generation_planning
from mirpipe.settings import settings
from mirpipe.stages import analyse, caption
from tests.support.fake_gpu import add_gpu, compute_on_gpu


def test_each_plan_contains_the_pending_targets_of_its_stage(targets: dict[str, int]) -> None:
    assert generation_planning.has_pending_work()
    lists = generation_planning.plan_analyse([])
    planned = [track_id for track_ids in lists for track_id in track_ids]
    assert sorted(planned) == sorted(targets.values())
    assert generation_planning.plan_analyse(["300 Hz"]) == [[targets["300 Hz"]]]
    assert generation_planning.plan_caption([]) == [], "a target without features has no caption"
    analyse.analyse()
    assert generation_planning.plan_analyse([]) == []
    (task,) = generation_planning.plan_caption([])
    assert task == {"captioner": "features", "track_ids": sorted(targets.values())}
    caption.caption("features")
    (task,) = generation_planning.plan_generate({})
    assert task == {"generator": "resynth", "track_ids": sorted(targets.values())}


def test_parameters_limit_the_planned_clips(captioned: dict[str, int]) -> None:
    params = {"targets": ["500 Hz"], "modes": ["simple"], "seeds": 2, "limit": None}
    assert generation_planning.plan_generate(params) == [
        {"generator": "resynth", "track_ids": [captioned["500 Hz"]]}
    ]
    (task,) = generation_planning.plan_generate({"limit": 1})
    assert len(task["track_ids"]) == 1
    assert generation_planning.plan_generate({"modes": ["no such mode"]}) == []
    with pytest.raises(ConfigurationError, match="nobody"):
        generation_planning.plan_generate({"targets": ["nobody"]})


def test_nothing_is_planned_without_a_captioner(
    captioned: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert generation_planning.has_pending_work()
    monkeypatch.setenv("MIRPIPE_CAPTIONER", "")
    settings.cache_clear()
    assert not generation_planning.has_pending_work()
    assert [work for work in queries.pending_work() if work.stage == "generate"] == []


def test_an_unavailable_generator_is_listed_while_it_is_configured(
    captioned: dict[str, int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MIRPIPE_MODELS_DIR", str(tmp_path / "none"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "empty"))
    monkeypatch.setenv("MIRPIPE_GENERATORS", "musicgen_melody,resynth")
    settings.cache_clear()
    assert [task["generator"] for task in generation_planning.plan_generate({})] == ["resynth"]
    (unavailable,) = queries.unavailable_plugins()
    assert (unavailable.kind, unavailable.name) == ("generator", "musicgen_melody")
    monkeypatch.setenv("MIRPIPE_GENERATORS", "resynth")
    settings.cache_clear()
    generation_planning.plan_generate({})
    assert queries.unavailable_plugins() == []


def test_a_captioner_and_a_generator_run_where_their_libraries_need_it(
    captioned: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    (task,) = generation_planning.plan_generate({}, on_gpu=False)
    assert task["generator"] == "resynth"
    assert generation_planning.plan_generate({}, on_gpu=True) == []
    add_gpu(monkeypatch)
    compute_on_gpu(monkeypatch, "generators", "resynth")
    compute_on_gpu(monkeypatch, "captioners", "features")
    assert generation_planning.plan_generate({}, on_gpu=False) == []
    assert generation_planning.plan_caption([], on_gpu=False) == []
    (task,) = generation_planning.plan_generate({}, on_gpu=True)
    assert task["generator"] == "resynth"


def test_all_gpus_share_the_targets(
    captioned: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIRPIPE_GPU_SLOTS", "2")
    settings.cache_clear()
    add_gpu(monkeypatch)
    compute_on_gpu(monkeypatch, "generators", "resynth")
    compute_on_gpu(monkeypatch, "captioners", "features")
    assert len(captioned) > 1
    clips = generation_planning.plan_generate({}, on_gpu=True)
    assert len(clips) == 2
    planned = [track_id for task in clips for track_id in task["track_ids"]]
    assert sorted(planned) == sorted(captioned.values())
    (limited,) = generation_planning.plan_generate({"limit": 100}, on_gpu=True)
    assert len(limited["track_ids"]) == len(captioned), "a limit counts the clips of all targets"
    monkeypatch.setattr(caption, "plan", lambda _captioner: sorted(captioned.values()))
    captions = generation_planning.plan_caption([], on_gpu=True)
    assert len(captions) == 2
    planned = [track_id for task in captions for track_id in task["track_ids"]]
    assert planned == sorted(captioned.values())
