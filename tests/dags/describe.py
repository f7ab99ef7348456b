"""Load the DAGs in the given folders, and print the DAGs and the imported modules as JSON."""

import json
import sys
from pathlib import Path
from typing import Any

# Airflow has no public interface that loads DAG files and shows their tasks. The testing section of
# Airflow's best practices also uses DagBag.
from airflow.dag_processing.dagbag import DagBag

from mirpipe.orchestration.pools import pool_slots


def describe(folder: Path) -> dict[str, Any]:
    before = set(sys.modules)
    bag = DagBag(folder, known_pools={*pool_slots(), "default_pool"})
    return {
        "imported": sorted(set(sys.modules) - before),
        "import_errors": bag.import_errors,
        "warnings": [warning.message for warning in bag.dag_warnings],
        "dags": {dag.dag_id: describe_dag(dag) for dag in bag.dags.values()},
    }


def describe_dag(dag: Any) -> dict[str, Any]:
    return {
        "file": Path(dag.fileloc).stem,
        "doc": dag.doc_md,
        "catchup": dag.catchup,
        "max_active_runs": dag.max_active_runs,
        "params": {name: dag.params.get_param(name).schema["type"] for name in dag.params},
        "cron": getattr(getattr(dag.timetable, "timetable", dag.timetable), "expression", None),
        "assets": asset_names(dag.timetable),
        "reports_failures": bool(dag.has_on_failure_callback or dag.on_failure_callback),
        "tasks": {
            task.task_id: {
                "owner": task.owner,
                "pool": task.pool,
                "queue": task.queue,
                "retries": task.retries,
                "retry_delay": task.retry_delay.total_seconds(),
                "backoff": task.retry_exponential_backoff,
                "never_retried": [rule.exception_path for rule in task.retry_policy.rules],
                "execution_timeout": bool(task.execution_timeout),
                "trigger_rule": task.trigger_rule,
                "next": sorted(task.downstream_task_ids),
            }
            for task in dag.tasks
        },
    }


def asset_names(timetable: Any) -> list[str]:
    condition = getattr(timetable, "asset_condition", None)
    return [asset.name for asset in condition.objects] if condition else []


folders = [describe(Path(folder)) for folder in sys.argv[1:]]
print("\n" + json.dumps({"modules": sorted(sys.modules), "folders": folders}))
