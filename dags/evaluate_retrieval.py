"""Bring every result up to date: embed, score, analyse, retrieve, evaluate, report.

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

from airflow.sdk import AssetOrTimeSchedule, dag

from mirpipe.orchestration.assets import METRICS, TRACKS
from mirpipe.orchestration.dag_defaults import DEFAULT_ARGS, on_time
from mirpipe.orchestration.evaluation_tasks import bring_up_to_date
from mirpipe.orchestration.watcher_task import fail_where_any_failed
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
    fail_where_any_failed(*bring_up_to_date(outlets=[METRICS]))


evaluate_retrieval()
