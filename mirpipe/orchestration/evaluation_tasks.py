"""The Airflow tasks that embed, score, analyse, retrieve, evaluate and report.

The DAGs evaluate_retrieval and generate_music both end with these tasks.
"""

from collections.abc import Sequence
from typing import Any

from airflow.sdk import Asset, chain, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

from mirpipe.orchestration import evaluation_planning, stage_tasks
from mirpipe.orchestration.assets import REMAINING
from mirpipe.orchestration.evaluation_planning import Plan
from mirpipe.orchestration.pools import STAGES
from mirpipe.orchestration.stage_subprocess import run_stage
from mirpipe.orchestration.track_ranges import TrackRanges, ids_in, to_ranges
from mirpipe.orchestration.worker_groups import WorkerGroup, worker_groups
from mirpipe.settings import settings

LEFT_OUT = "left_out"
"""Key under which a planning task stores how many pending tracks it has left out."""
_TRACKS = "{{ task.op_kwargs.track_ranges.tracks }} tracks"


def add_evaluation_tasks(
    *, after: Sequence[Any] = (), outlets: Sequence[Asset] = (), references: bool = True
) -> list[Any]:
    """Add the tasks from embed to report to the current DAG, and return all added tasks.

    The added tasks start when all tasks in `after` have ended, even if some of these have failed.
    The report task updates the assets `outlets` if results have changed; otherwise, it ends as
    skipped. If the setting `gate` is set, a task judges the gate, unless the report failed. If
    `references` is false, only targets and clips are embedded, scored and analysed. Otherwise, a
    last task updates the asset `remaining_tracks` if tracks were left out.
    """

    @task(trigger_rule="all_done")
    def plan_analyse(ti: Any = None) -> list[TrackRanges]:
        plan = evaluation_planning.plan_analyse(references=references)
        return [to_ranges(track_ids) for track_ids in _tasks_of(plan, ti)]

    @task(pool=STAGES, map_index_template=_TRACKS)
    def analyse(track_ranges: TrackRanges) -> dict[str, Any]:
        return stage_tasks.analyse(ids_in(track_ranges))

    @task(pool=STAGES, trigger_rule="all_done")
    def retrieve() -> dict[str, Any]:
        return run_stage("retrieve")

    @task(pool=STAGES, trigger_rule="all_done")
    def evaluate() -> dict[str, Any]:
        return run_stage("evaluate")

    @task(pool=STAGES, trigger_rule="all_done", outlets=list(outlets))
    def report(run_id: str | None = None) -> dict[str, Any]:
        assert run_id is not None  # Airflow always passes the run id.
        counts = stage_tasks.report(run_id)
        if not counts["changed"]:
            raise AirflowSkipException("no result has changed since the last report")
        return counts

    @task(pool=STAGES, trigger_rule="none_failed")
    def gate() -> dict[str, Any]:
        from mirpipe.orchestration.gate_task import judge_gate

        return judge_gate(get_current_context())

    plans, embedded, scored = [analyse_plan := plan_analyse()], [], []
    for group in worker_groups():
        embed_plan, embed = _add_embed_tasks(group, references=references)
        score_plan, score = _add_score_tasks(group, references=references)
        plans += [embed_plan, score_plan]
        embedded.append(embed)
        scored.append(score)
    if after:
        for plan in plans:
            chain(list(after), plan)
    analysed = analyse.expand(track_ranges=analyse_plan)
    retrieved, evaluated, reported = retrieve(), evaluate(), report()
    chain([*embedded, analysed], retrieved, evaluated, reported)
    chain(scored, reported)
    tasks = [*plans, *embedded, *scored, analysed, retrieved, evaluated, reported]
    if settings().gate is not None:
        judged = gate()
        chain(reported, judged)
        tasks.append(judged)
    if references:
        announced = _add_announcement(plans)
        chain(reported, announced)
        tasks.append(announced)
    return tasks


def _add_announcement(plans: Sequence[Any]) -> Any:
    """Add the task that lets the DAG run again if these plans have left out tracks."""
    plan_ids = [plan.operator.task_id for plan in plans]

    @task(trigger_rule="all_done", inlets=[REMAINING], outlets=[REMAINING])
    def announce_remaining(
        ti: Any = None, inlet_events: Any = None, outlet_events: Any = None
    ) -> None:
        left_out = sum(filter(None, ti.xcom_pull(task_ids=plan_ids, key=LEFT_OUT)))
        latest = list(inlet_events[REMAINING].ascending(False).limit(1))
        pending = evaluation_planning.pending_to_announce(
            left_out, announced=latest[0].extra.get("pending") if latest else None
        )
        if pending is None:
            raise AirflowSkipException("no track was left out, or no track was processed")
        outlet_events[REMAINING].extra = {"pending": pending}

    return announce_remaining()


def _tasks_of(plan: Plan, ti: Any) -> list[Any]:
    """Return the tasks of a plan, and store how many tracks it has left out for the last task."""
    ti.xcom_push(key=LEFT_OUT, value=plan.left_out)
    return plan.tasks


def _add_embed_tasks(group: WorkerGroup, *, references: bool) -> tuple[Any, Any]:
    """Add the tasks that embed on this group of workers: a planning task and a mapped task."""

    @task(trigger_rule="all_done", task_id=f"plan_embed{group.task_suffix}", **group.planning)
    def plan(ti: Any = None) -> list[dict[str, Any]]:
        plan = evaluation_planning.plan_embed(on_gpu=group.on_gpu, references=references)
        return [
            {"encoders": each["encoders"], "track_ranges": to_ranges(each["track_ids"])}
            for each in _tasks_of(plan, ti)
        ]

    @task(
        task_id=f"embed{group.task_suffix}",
        map_index_template="{{ task.op_kwargs.encoders | join(', ') }}, " + _TRACKS,
        **group.stages,
    )
    def embed(encoders: list[str], track_ranges: TrackRanges) -> dict[str, Any]:
        return stage_tasks.embed(encoders, ids_in(track_ranges))

    planned = plan()
    return planned, embed.expand_kwargs(planned)


def _add_score_tasks(group: WorkerGroup, *, references: bool) -> tuple[Any, Any]:
    """Add the tasks that score on this group of workers: a planning task and a mapped task."""

    @task(trigger_rule="all_done", task_id=f"plan_scores{group.task_suffix}", **group.planning)
    def plan(ti: Any = None) -> list[dict[str, Any]]:
        plan = evaluation_planning.plan_scores(on_gpu=group.on_gpu, references=references)
        return [
            {"metric": each["metric"], "track_ranges": to_ranges(each["track_ids"])}
            for each in _tasks_of(plan, ti)
        ]

    @task(
        task_id=f"score{group.task_suffix}",
        map_index_template="{{ task.op_kwargs.metric }}, " + _TRACKS,
        **group.stages,
    )
    def score(metric: str, track_ranges: TrackRanges) -> dict[str, Any]:
        return stage_tasks.score(metric, ids_in(track_ranges))

    planned = plan()
    return planned, score.expand_kwargs(planned)
