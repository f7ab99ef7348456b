"""The tasks that bring every result up to date, for the DAGs that end with them."""

from collections.abc import Sequence
from typing import Any

from airflow.sdk import Asset, chain, task
from airflow.sdk.exceptions import AirflowSkipException

from mirpipe.orchestration import ingest_and_embed_tasks
from mirpipe.orchestration.pools import STAGES
from mirpipe.orchestration.stage_subprocess import run


def bring_up_to_date(*, after: Sequence[Any] = (), outlets: Sequence[Asset] = ()) -> list[Any]:
    """Adds embed, score, analyse, retrieve, evaluate and report to the DAG; returns all its tasks.

    They begin when all of `after` have ended, however they did. The report emits `outlets` where
    it found something changed, and is skipped otherwise.
    """

    @task(trigger_rule="all_done")
    def plan_embed() -> list[dict[str, Any]]:
        return ingest_and_embed_tasks.plan_embed()

    @task(trigger_rule="all_done")
    def plan_scores() -> list[dict[str, Any]]:
        return ingest_and_embed_tasks.plan_scores()

    @task(trigger_rule="all_done")
    def plan_analyse() -> list[list[int]]:
        return ingest_and_embed_tasks.plan_analyse()

    @task(
        pool=STAGES,
        map_index_template="{{ task.op_kwargs.encoders | join(', ') }}, "
        "{{ task.op_kwargs.track_ids | length }} tracks",
    )
    def embed(encoders: list[str], track_ids: list[int]) -> dict[str, Any]:
        return ingest_and_embed_tasks.embed(encoders, track_ids)

    @task(
        pool=STAGES,
        map_index_template="{{ task.op_kwargs.metric }}, "
        "{{ task.op_kwargs.track_ids | length }} tracks",
    )
    def score(metric: str, track_ids: list[int]) -> dict[str, Any]:
        return ingest_and_embed_tasks.score(metric, track_ids)

    @task(pool=STAGES, map_index_template="{{ task.op_kwargs.track_ids | length }} tracks")
    def analyse(track_ids: list[int]) -> dict[str, Any]:
        return ingest_and_embed_tasks.analyse(track_ids)

    @task(pool=STAGES, trigger_rule="all_done")
    def retrieve() -> dict[str, Any]:
        return run("retrieve")

    @task(pool=STAGES, trigger_rule="all_done")
    def evaluate() -> dict[str, Any]:
        return run("evaluate")

    @task(pool=STAGES, trigger_rule="all_done", outlets=list(outlets))
    def report(run_id: str | None = None) -> dict[str, Any]:
        assert run_id is not None  # Airflow hands it in
        reported = run("report", "--trigger", run_id)
        if not reported["changed"]:
            raise AirflowSkipException("all is as the last report found it")
        return reported

    embed_plan, score_plan, analyse_plan = plan_embed(), plan_scores(), plan_analyse()
    plans = [embed_plan, score_plan, analyse_plan]
    if after:
        for plan in plans:
            chain(list(after), plan)
    embedded = embed.expand_kwargs(embed_plan)
    scored = score.expand_kwargs(score_plan)
    measured = analyse.expand(track_ids=analyse_plan)
    retrieved, compared, reported = retrieve(), evaluate(), report()
    chain([embedded, measured], retrieved, compared, reported)
    chain(scored, reported)
    return [*plans, embedded, scored, measured, retrieved, compared, reported]
