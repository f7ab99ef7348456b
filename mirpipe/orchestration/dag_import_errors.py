"""Which DAGs Airflow cannot import: asked of a process of its own, which has Airflow's settings."""

import json
import subprocess
import sys

from mirpipe.errors import MirpipeError
from mirpipe.orchestration import airflow_home
from mirpipe.settings import PROJECT, Settings

SECONDS = 120

_ASK = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
print("\\n" + json.dumps(DagBag(sys.argv[1]).import_errors))
"""


def dag_errors(settings: Settings) -> dict[str, str]:
    """File → the last line of what was wrong with it; empty where all is well.

    Raises MirpipeError where Airflow itself cannot be started.
    """
    # the metadata are not asked; a URL that would reach nobody keeps it so
    environment = airflow_home.environment(settings, database_url="sqlite://", port=0)
    asked = subprocess.run(
        [sys.executable, "-P", "-c", _ASK, str(PROJECT / "dags")],
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    if asked.returncode:
        last = asked.stderr.strip().splitlines()[-1:]
        raise MirpipeError(f"Airflow cannot be started: {''.join(last)}; `make setup` mends it")
    errors = json.loads(asked.stdout.strip().splitlines()[-1])
    return {file: said.strip().splitlines()[-1] for file, said in errors.items()}
