"""Bring all results up to date: embed, score, analyse, retrieve, evaluate and report.

This DAG runs every night, and whenever the library has changed (asset `tracks`). Each run queries
the database for pending work. Therefore, it also does the work that a killed run did not finish,
and the work for a new encoder or encoder revision. If nothing is pending, the run still updates the
neighbour lists, because references might have been removed.

If more tracks are pending than can be processed in `MIRPIPE_PLAN_HOURS`, a run processes some of
them: half targets and clips, and half a random sample of the references. It then reports the
results so far, and the task `announce_remaining` updates the asset `remaining_tracks`, which starts
the next run. This ends when no tracks are left out, or when a run has processed none.

The work is divided into batches of tracks, with one task per batch. Encoders that have the same
pending tracks share a task, so that each track is decoded only once. If the process of such a
shared task crashes, the task runs each encoder again in a separate process.

If one encoder fails, all other encoders are still evaluated and reported, but the DAG run is marked
as failed. Rejected audio does not make a run fail; `mirpipe failures` lists it. The asset
`metrics` is updated if the report finds a change.

If `MIRPIPE_GATE` is set, the last task judges the gate. It succeeds whatever the verdict is, and
sends a message only if the verdict has changed.
"""

from airflow.sdk import AssetOrTimeSchedule, dag

from mirpipe.orchestration import failure_message
from mirpipe.orchestration.assets import METRICS, REMAINING, TRACKS
from mirpipe.orchestration.cron_timetable import cron_timetable
from mirpipe.orchestration.dag_defaults import DEFAULT_ARGS
from mirpipe.orchestration.dag_run_failure import fail_run_if_any_failed
from mirpipe.orchestration.evaluation_tasks import add_evaluation_tasks
from mirpipe.settings import settings


@dag(
    schedule=AssetOrTimeSchedule(
        timetable=cron_timetable(settings().evaluate_cron), assets=TRACKS | REMAINING
    ),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    tags=["results"],
    doc_md=__doc__,
    **failure_message.callbacks(),
)
def evaluate_retrieval() -> None:
    fail_run_if_any_failed(*add_evaluation_tasks(outlets=[METRICS]))


evaluate_retrieval()
