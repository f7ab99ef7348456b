"""DAG files that Airflow cannot import, as reported by `airflow dags list-import-errors`."""

import json
import subprocess

from mirpipe.errors import MirpipeError
from mirpipe.orchestration import airflow_home
from mirpipe.orchestration.airflow_cli import airflow_command
from mirpipe.settings import PROJECT, Settings

TIMEOUT_SECONDS = 900


def dag_errors(settings: Settings) -> dict[str, str]:
    """Return the last line of the import error, by DAG file.

    The result is empty if Airflow can import every DAG file. Raises MirpipeError if Airflow's
    program cannot run. The program parses the files itself, so no server needs to run.
    """
    # The command needs a database URL but stores nothing, so an empty in-memory database is enough.
    environment = airflow_home.environment(settings, database_url="sqlite://", port=0)
    environment["AIRFLOW__CORE__DAGS_FOLDER"] = str(PROJECT / "dags")
    process = subprocess.run(
        airflow_command("dags", "list-import-errors", "--local", "--output", "json"),
        env=environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    # Warnings may precede the result. The exit code does not show whether the program could run,
    # because it is also 1 if there are import errors.
    last_line = "".join(process.stdout.strip().splitlines()[-1:])
    try:
        errors = json.loads(last_line)
    except ValueError as error:
        cause = "".join(process.stderr.strip().splitlines()[-1:]) or last_line
        raise MirpipeError(
            f"Airflow's program cannot run: {cause}. `mirpipe doctor` checks the installation."
        ) from error
    return {entry["filepath"]: entry["error"].strip().splitlines()[-1] for entry in errors}
