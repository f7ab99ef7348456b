"""Make every target anew: caption, generate, then embed, score and report.

Runs when there are new results (asset `metrics`) and on demand. What is missing is asked of the
database and never of the event: a target without a caption, a clip that the settings ask for and
nobody has made; a target that came after the last evaluation is analysed first. Triggered by hand
it keeps to the targets, modes, seeds and limit that are given.

Tasks that load a large model run in the pool and the queue `gpu`, one at once a card; they never
defer. Captions are a task of their own, so that the captioner is out of the memory before a
generator loads. A clip that is made is a track like any other, so the same tasks embed, score and
report it as in `evaluate_retrieval`. Killed at any point, the next run goes on at the next missing
clip.
"""

from typing import Any

from airflow.sdk import Param, chain, dag, task

from mirpipe.orchestration import generation_tasks, ingest_and_embed_tasks
from mirpipe.orchestration.assets import METRICS
from mirpipe.orchestration.dag_defaults import DEFAULT_ARGS
from mirpipe.orchestration.evaluation_tasks import bring_up_to_date
from mirpipe.orchestration.pools import STAGES, on_gpu
from mirpipe.orchestration.watcher_task import fail_where_any_failed


@dag(
    schedule=[METRICS],
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    params={
        "targets": Param([], type="array", description="Ids or titles of targets; none: all"),
        "modes": Param([], type="array", description="Such as simple, medium, strong; none: all"),
        "seeds": Param(
            None, type=["null", "integer"], minimum=1, description="Clips a target and mode"
        ),
        "limit": Param(
            None, type=["null", "integer"], minimum=1, description="At most this many clips"
        ),
    },
    tags=["generation"],
    doc_md=__doc__,
)
def generate_music() -> None:
    @task
    def plan_targets(params: dict[str, Any] | None = None) -> list[list[int]]:
        assert params is not None  # Airflow hands it in
        return generation_tasks.plan_analyse(params["targets"])

    @task(pool=STAGES, map_index_template="{{ task.op_kwargs.track_ids | length }} targets")
    def analyse_targets(track_ids: list[int]) -> dict[str, Any]:
        return ingest_and_embed_tasks.analyse(track_ids)

    @task(trigger_rule="all_done")
    def plan_caption(params: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        assert params is not None
        return generation_tasks.plan_caption(params["targets"])

    @task(
        **on_gpu(),
        map_index_template="{{ task.op_kwargs.captioner }}, "
        "{{ task.op_kwargs.track_ids | length }} targets",
    )
    def caption(captioner: str, track_ids: list[int]) -> dict[str, Any]:
        return generation_tasks.caption(captioner, track_ids)

    @task(trigger_rule="all_done")
    def plan_embed_captions() -> list[str]:
        return generation_tasks.plan_embed_captions()

    @task(pool=STAGES, map_index_template="{{ task.op_kwargs.encoder }}")
    def embed_captions(encoder: str) -> dict[str, Any]:
        return generation_tasks.embed_captions(encoder)

    @task(trigger_rule="all_done")
    def plan_generate(params: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        assert params is not None
        return generation_tasks.plan_generate(params)

    @task(
        **on_gpu(),
        map_index_template="{{ task.op_kwargs.generator }}, "
        "{{ task.op_kwargs.track_ids | length }} targets",
    )
    def generate(
        generator: str, track_ids: list[int], params: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        assert params is not None
        return generation_tasks.generate(generator, track_ids, params)

    plans = plan_targets(), plan_caption(), plan_embed_captions(), plan_generate()
    analysed = analyse_targets.expand(track_ids=plans[0])
    captioned = caption.expand_kwargs(plans[1])
    worded = embed_captions.expand(encoder=plans[2])
    generated = generate.expand_kwargs(plans[3])
    chain(analysed, plans[1])
    chain(captioned, [plans[2], plans[3]])
    evaluated = bring_up_to_date(after=[worded, generated])
    fail_where_any_failed(*plans, analysed, captioned, worded, generated, *evaluated)


generate_music()
