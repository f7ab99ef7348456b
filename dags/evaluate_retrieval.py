"""Bring every result up to date: embed, score, retrieve, evaluate, report.

Runs when the library changed (asset `tracks`) and every night. What is missing is asked of the
database and never of the event, so a run that was killed, a new encoder or a new revision of one
is made up for by the next run. A run that finds nothing missing still retrieves, for what was
removed, and confirms the last report.

Work is mapped over batches of tracks. Encoders that lack the same tracks share a task, which
decodes a track once; where its process dies, the task goes on encoder by encoder. An encoder that
fails keeps no other from being reported; the run ends as failed all the same. Rejected audio is no
failure: it is in the ledger (`mirpipe failures`). The asset `metrics` is emitted where the report
found something changed.
"""

from typing import Any

from airflow.sdk import AssetOrTimeSchedule, chain, dag, task
from airflow.sdk.exceptions import AirflowSkipException

from mirpipe.orchestration import work
from mirpipe.orchestration.assets import METRICS, TRACKS
from mirpipe.orchestration.commands import run
from mirpipe.orchestration.defaults import DEFAULT_ARGS, on_time
from mirpipe.orchestration.pools import STAGES
from mirpipe.orchestration.watcher import fail_where_any_failed
from mirpipe.settings import settings


@dag(
    schedule=AssetOrTimeSchedule(timetable=on_time(settings().evaluate_cron), assets=[TRACKS]),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    tags=["results"],
    doc_md=__doc__,
)
def evaluate_retrieval() -> None:
    @task
    def plan_embed() -> list[dict[str, Any]]:
        return work.plan_embed()

    @task
    def plan_scores() -> list[dict[str, Any]]:
        return work.plan_scores()

    @task
    def plan_melody() -> list[list[int]]:
        return work.plan_melody()

    @task(
        pool=STAGES,
        map_index_template="{{ task.op_kwargs.encoders | join(', ') }}, "
        "{{ task.op_kwargs.track_ids | length }} tracks",
    )
    def embed(encoders: list[str], track_ids: list[int]) -> dict[str, Any]:
        return work.embed(encoders, track_ids)

    @task(
        pool=STAGES,
        map_index_template="{{ task.op_kwargs.metric }}, "
        "{{ task.op_kwargs.track_ids | length }} tracks",
    )
    def score(metric: str, track_ids: list[int]) -> dict[str, Any]:
        return work.score(metric, track_ids)

    @task(pool=STAGES, map_index_template="{{ task.op_kwargs.track_ids | length }} tracks")
    def melody(track_ids: list[int]) -> dict[str, Any]:
        return work.melody(track_ids)

    @task(pool=STAGES, trigger_rule="all_done")
    def retrieve() -> dict[str, Any]:
        return run("retrieve")

    @task(pool=STAGES, trigger_rule="all_done")
    def pairs() -> dict[str, Any]:
        return run("evaluate", "--only", "pairs")

    @task(pool=STAGES, trigger_rule="all_done", outlets=[METRICS])
    def report(run_id: str | None = None) -> dict[str, Any]:
        assert run_id is not None  # Airflow hands it in
        reported = run("report", "--trigger", run_id)
        if not reported["changed"]:
            raise AirflowSkipException("all is as the last report found it")
        return reported

    embed_plan, score_plan, melody_plan = plan_embed(), plan_scores(), plan_melody()
    embedded = embed.expand_kwargs(embed_plan)
    scored = score.expand_kwargs(score_plan)
    measured = melody.expand(track_ids=melody_plan)
    retrieved, compared, reported = retrieve(), pairs(), report()
    chain([embedded, measured], retrieved, compared, reported)
    chain(scored, reported)
    fail_where_any_failed(
        *(embed_plan, score_plan, melody_plan, embedded, scored, measured),
        *(retrieved, compared, reported),
    )


evaluate_retrieval()
