"""Scan the folders of the library and announce what changed.

Every file of `MIRPIPE_REFERENCES` and `MIRPIPE_TARGETS`, or of the folders given when the DAG is
triggered by hand, becomes a track. A file whose size and time are as they were is not read. Bad
input goes to the ledger (`mirpipe failures`) and fails nothing.

The asset `tracks` is emitted where the library is another than the one last announced; otherwise
the task that announces is skipped. Safe to run at any time, and twice.
"""

from typing import Any

from airflow.sdk import Param, dag, task
from airflow.sdk.exceptions import AirflowSkipException

from mirpipe.orchestration import ingest_and_embed_tasks
from mirpipe.orchestration.assets import TRACKS
from mirpipe.orchestration.dag_defaults import DEFAULT_ARGS, on_time
from mirpipe.orchestration.pools import STAGES
from mirpipe.orchestration.watcher_task import fail_where_any_failed
from mirpipe.settings import settings


def _folders(configured: list[Any], what: str) -> Param:
    return Param([str(path) for path in configured], type="array", description=what)


@dag(
    schedule=on_time(settings().ingest_cron),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    params={
        "references": _folders(settings().references, "Folders of the library searched in"),
        "targets": _folders(settings().targets, "Folders of what is looked for"),
        "manifest": Param(
            settings().manifest and str(settings().manifest),
            type=["null", "string"],
            description="CSV with titles and labels",
        ),
        "allow_empty": Param(
            False, type="boolean", description="Take an empty or missing folder at its word"
        ),
    },
    tags=["library"],
    doc_md=__doc__,
)
def ingest_library() -> None:
    @task(pool=STAGES)
    def ingest(collection: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        assert params is not None  # Airflow hands it in
        folders = params[f"{collection}s"]
        if not folders:
            raise AirflowSkipException(f"no folder of {collection}s is configured")
        return ingest_and_embed_tasks.ingest(
            collection,
            folders,
            manifest=params["manifest"],
            allow_empty=params["allow_empty"],
        )

    @task(trigger_rule="all_done", inlets=[TRACKS], outlets=[TRACKS])
    def announce(inlet_events: Any = None, outlet_events: Any = None) -> None:
        last = list(inlet_events[TRACKS].ascending(False).limit(1))
        announced = last[0].extra.get("fingerprint") if last else ingest_and_embed_tasks.EMPTY
        present = ingest_and_embed_tasks.library_fingerprint()
        if present == announced:
            raise AirflowSkipException("nothing is new")
        outlet_events[TRACKS].extra = {"fingerprint": present}

    references = ingest.override(task_id="references")("reference")
    targets = ingest.override(task_id="targets")("target")
    announced = announce()
    [references, targets] >> announced
    fail_where_any_failed(references, targets, announced)


ingest_library()
