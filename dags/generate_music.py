"""Generate music from every target: write a caption, generate clips, and evaluate the clips.

This DAG runs when there are new results (asset `metrics`), every night, and on demand. The nightly
run does the work of an asset update that was lost or whose run failed. Each run queries the
database for pending work: targets without a caption, and configured clips that do not exist yet.
Targets that were added after the last evaluation are analysed first. If you trigger the DAG by
hand, you can limit the run to certain targets and modes, and limit the number of seeds or clips.

Tasks that caption or generate run one at a time per GPU. If `MIRPIPE_GPU_WORKERS` is set, the tasks
of plug-ins that can use a GPU end in `_on_gpu` and run in the queue `gpu`. Captioning is a separate
task, so that the captioner is no longer in memory when a generator is loaded.

Every clip is also a track. The last tasks embed, score and report the clips, as in
`evaluate_retrieval`, which alone processes the references. If a run is killed, the next run
continues with the next missing clip.
"""

from typing import Any

from airflow.sdk import AssetOrTimeSchedule, Param, dag, task

from mirpipe.orchestration import failure_message, generation_planning, stage_tasks
from mirpipe.orchestration.assets import METRICS
from mirpipe.orchestration.cron_timetable import cron_timetable
from mirpipe.orchestration.dag_defaults import DEFAULT_ARGS
from mirpipe.orchestration.dag_run_failure import fail_run_if_any_failed
from mirpipe.orchestration.evaluation_tasks import add_evaluation_tasks
from mirpipe.orchestration.generation_tasks import add_generation_tasks
from mirpipe.orchestration.pools import STAGES
from mirpipe.settings import settings


@dag(
    schedule=AssetOrTimeSchedule(
        timetable=cron_timetable(settings().generate_cron), assets=[METRICS]
    ),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    params={
        "targets": Param(
            [],
            type=["null", "array"],
            description="Target ids or titles. Leave empty for all targets.",
        ),
        "modes": Param(
            [],
            type=["null", "array"],
            description="Modes, such as simple, medium or strong. Leave empty for all modes.",
        ),
        "seeds": Param(
            None,
            type=["null", "integer"],
            minimum=1,
            description="Number of clips per target and mode. By default, MIRPIPE_SEEDS is used. "
            "The results include only as many clips as MIRPIPE_SEEDS requests.",
        ),
        "limit": Param(
            None,
            type=["null", "integer"],
            minimum=1,
            description="Largest number of clips to generate. By default, there is no limit.",
        ),
    },
    tags=["generation"],
    doc_md=__doc__,
    **failure_message.callbacks(),
)
def generate_music() -> None:
    @task
    def plan_targets(params: dict[str, Any] | None = None) -> list[list[int]]:
        assert params is not None  # Airflow always passes the parameters.
        return generation_planning.plan_analyse(params["targets"] or [])

    @task(pool=STAGES, map_index_template="{{ task.op_kwargs.track_ids | length }} targets")
    def analyse_targets(track_ids: list[int]) -> dict[str, Any]:
        return stage_tasks.analyse(track_ids)

    target_plan = plan_targets()
    analysed = analyse_targets.expand(track_ids=target_plan)
    generation = add_generation_tasks(after=analysed)
    evaluation = add_evaluation_tasks(after=generation, references=False)
    fail_run_if_any_failed(target_plan, analysed, *generation, *evaluation)


generate_music()
