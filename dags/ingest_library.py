"""Scan the library folders, and start the evaluation if the library has changed.

Each audio file in the folders becomes a track, and copies of a file count as one track. The folders
are those in `MIRPIPE_REFERENCES` and `MIRPIPE_TARGETS`, unless you trigger the DAG by hand with
other folders. A file is read only if it is new, or if its size or times have changed. Rejected
files do not make a run fail; `mirpipe failures` lists them. If a folder has lost many of its files
at once, a disk or share may be offline: the run fails, and no track is marked as removed. If the
files are deleted for good, trigger the DAG with `allow_removal`.

The task `announce` updates the asset `tracks` if the library has changed since the asset was last
updated; otherwise, the task is skipped. You can run this DAG at any time, and repeat it safely.
"""

from typing import Any

from airflow.sdk import Param, dag, task
from airflow.sdk.exceptions import AirflowSkipException

from mirpipe.orchestration import failure_message, stage_tasks
from mirpipe.orchestration.assets import TRACKS
from mirpipe.orchestration.cron_timetable import cron_timetable
from mirpipe.orchestration.dag_defaults import DEFAULT_ARGS
from mirpipe.orchestration.dag_run_failure import fail_run_if_any_failed
from mirpipe.orchestration.library_fingerprint import (
    EMPTY_LIBRARY,
    has_tracks_to_compare,
    library_fingerprint,
)
from mirpipe.orchestration.pools import STAGES
from mirpipe.settings import settings


def _folders(configured: list[Any], description: str) -> Param:
    folders = [str(path) for path in configured]
    return Param(folders, type=["null", "array"], description=description)


@dag(
    schedule=cron_timetable(settings().ingest_cron),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    params={
        "references": _folders(settings().references, "Folders of the reference library."),
        "targets": _folders(settings().targets, "Folders of the target tracks."),
        "manifest": Param(
            settings().manifest and str(settings().manifest),
            type=["null", "string"],
            description="CSV file that contains titles and labels for the tracks.",
        ),
        "allow_removal": Param(
            False,
            type=["null", "boolean"],
            description="Accept that a folder is missing, or has lost all or many of its files, "
            "and mark its tracks as removed.",
        ),
    },
    tags=["library"],
    doc_md=__doc__,
    **failure_message.callbacks(),
)
def ingest_library() -> None:
    @task(pool=STAGES)
    def ingest(collection: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        assert params is not None  # Airflow always passes the parameters.
        folders = params[f"{collection}s"]
        if not folders:
            raise AirflowSkipException(f"no folder of {collection}s is configured")
        return stage_tasks.ingest(
            collection,
            folders,
            manifest=params["manifest"],
            allow_removal=bool(params["allow_removal"]),
        )

    @task(trigger_rule="all_done", inlets=[TRACKS], outlets=[TRACKS])
    def announce(inlet_events: Any = None, outlet_events: Any = None) -> None:
        latest = list(inlet_events[TRACKS].ascending(False).limit(1))
        announced = latest[0].extra.get("fingerprint") if latest else EMPTY_LIBRARY
        current = library_fingerprint()
        if current == announced and not has_tracks_to_compare():
            raise AirflowSkipException("the library has not changed")
        outlet_events[TRACKS].extra = {"fingerprint": current}

    references = ingest.override(task_id="references")("reference")
    targets = ingest.override(task_id="targets")("target")
    announced = announce()
    [references, targets] >> announced
    fail_run_if_any_failed(references, targets, announced)


ingest_library()
