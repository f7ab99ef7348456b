"""Generate music from every target: write a caption, generate clips, and evaluate the clips.

This DAG runs when there are new results (asset `metrics`), every night, and on demand. The nightly
run does the work of an asset update that was lost or whose run failed. Each run queries the
database for pending work: targets without a caption, and configured clips that do not exist yet.
Targets that were added after the last evaluation are analysed first. If you trigger the DAG by
hand, you can limit the run to certain targets and modes, and limit the number of seeds or clips.

Tasks that caption or generate run in the pool and queue `gpu`, one at a time per GPU. If
`MIRPIPE_DEVICE` is `cuda`, tasks that embed or score also run there. These tasks are not
deferrable. Captioning is a separate task, so that the captioner is no longer in memory when
a generator is loaded.

Every clip is also a track. The last tasks embed, score and report the clips, as in
`evaluate_retrieval`. If a run is killed, the next run continues with the next missing clip.
"""

from typing import Any

from airflow.sdk import AssetOrTimeSchedule, Param, chain, dag, task

from mirpipe.orchestration import failure_message, generation_planning, stage_tasks
from mirpipe.orchestration.assets import METRICS
from mirpipe.orchestration.cron_timetable import cron_timetable
from mirpipe.orchestration.dag_defaults import DEFAULT_ARGS
from mirpipe.orchestration.dag_run_failure import fail_run_if_any_failed
from mirpipe.orchestration.evaluation_tasks import add_evaluation_tasks
from mirpipe.orchestration.pools import STAGES, on_gpu, on_gpu_if_required
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
            [], type="array", description="Target ids or titles. Leave empty for all targets."
        ),
        "modes": Param(
            [],
            type="array",
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
        return generation_planning.plan_analyse(params["targets"])

    @task(pool=STAGES, map_index_template="{{ task.op_kwargs.track_ids | length }} targets")
    def analyse_targets(track_ids: list[int]) -> dict[str, Any]:
        return stage_tasks.analyse(track_ids)

    @task(trigger_rule="all_done")
    def plan_caption(params: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        assert params is not None
        return generation_planning.plan_caption(params["targets"])

    @task(
        **on_gpu(),
        map_index_template="{{ task.op_kwargs.captioner }}, "
        "{{ task.op_kwargs.track_ids | length }} targets",
    )
    def caption(captioner: str, track_ids: list[int]) -> dict[str, Any]:
        return stage_tasks.caption(captioner, track_ids)

    @task(trigger_rule="all_done")
    def plan_embed_captions() -> list[str]:
        return generation_planning.plan_embed_captions()

    @task(**on_gpu_if_required(), map_index_template="{{ task.op_kwargs.encoder }}")
    def embed_captions(encoder: str) -> dict[str, Any]:
        return stage_tasks.embed_captions(encoder)

    @task(trigger_rule="all_done")
    def plan_generate(params: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        assert params is not None
        return generation_planning.plan_generate(params)

    @task(
        **on_gpu(),
        map_index_template="{{ task.op_kwargs.generator }}, "
        "{{ task.op_kwargs.track_ids | length }} targets",
    )
    def generate(
        generator: str, track_ids: list[int], params: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        assert params is not None
        return stage_tasks.generate(generator, track_ids, params)

    plans = plan_targets(), plan_caption(), plan_embed_captions(), plan_generate()
    analysed = analyse_targets.expand(track_ids=plans[0])
    captioned = caption.expand_kwargs(plans[1])
    embedded_captions = embed_captions.expand(encoder=plans[2])
    generated = generate.expand_kwargs(plans[3])
    chain(analysed, plans[1])
    chain(captioned, [plans[2], plans[3]])
    evaluated = add_evaluation_tasks(after=[embedded_captions, generated])
    fail_run_if_any_failed(*plans, analysed, captioned, embedded_captions, generated, *evaluated)


generate_music()
