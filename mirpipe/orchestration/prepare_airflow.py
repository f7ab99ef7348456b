"""Prepare the databases, pools and user of an Airflow whose servers run as separate processes.

Run `python -m mirpipe.orchestration.prepare_airflow` once before these servers start, and again
after every update of mirpipe or Airflow and every change of the slots.
"""

import json
import subprocess
import tempfile
from pathlib import Path

from mirpipe.db.migrate import migrate
from mirpipe.errors import MirpipeError
from mirpipe.orchestration.airflow_cli import airflow_command
from mirpipe.orchestration.airflow_home import admin_password
from mirpipe.orchestration.pools import pool_slots
from mirpipe.settings import Settings, settings


def prepare(settings: Settings) -> None:
    """Migrate both databases, create Airflow's pools, and store the password of its user.

    Airflow's environment variables name its database. Running this again does no harm. Raises
    MirpipeError if one of Airflow's commands fails.
    """
    migrate()
    print("mirpipe's schema is up to date", flush=True)
    _run_airflow("db", "migrate")
    print("Airflow's metadata database is up to date", flush=True)
    _import_pools()
    admin_password(settings)
    print("Airflow's pools and user exist", flush=True)


def _import_pools() -> None:
    """Create or update every pool. The REST API is not available yet, as no server runs."""
    pools = {
        name: {"slots": slots, "description": "mirpipe", "include_deferred": False}
        for name, slots in pool_slots().items()
    }
    with tempfile.TemporaryDirectory(prefix="mirpipe-pools-") as folder:
        file = Path(folder) / "pools.json"
        file.write_text(json.dumps(pools))
        _run_airflow("pools", "import", str(file))


def _run_airflow(*arguments: str) -> None:
    process = subprocess.run(airflow_command(*arguments), check=False)
    if process.returncode:
        raise MirpipeError(
            f"`airflow {' '.join(arguments)}` failed with exit code {process.returncode}. "
            "Its output above shows the cause."
        )


if __name__ == "__main__":
    prepare(settings())
