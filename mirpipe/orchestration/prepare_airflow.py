"""Prepare databases, pools and the user for an Airflow whose servers run as separate processes.

Run `python -m mirpipe.orchestration.prepare_airflow` once before these servers are started for the
first time. Run it again whenever mirpipe or Airflow is updated or the numbers of slots change.
"""

import json
import subprocess
import tempfile
from pathlib import Path

from mirpipe.db.health import airflow_pools
from mirpipe.db.migrate import migrate
from mirpipe.errors import MirpipeError
from mirpipe.orchestration.airflow_cli import airflow_command
from mirpipe.orchestration.airflow_home import admin_password
from mirpipe.orchestration.airflow_migration import is_migrated, record_migration
from mirpipe.orchestration.pools import pool_slots
from mirpipe.settings import Settings, settings


def prepare(settings: Settings) -> None:
    """Migrate both databases, create Airflow's pools, and store the password of Airflow's user.

    Airflow's database is the one that Airflow's environment variables name. If
    MIRPIPE_AIRFLOW_DATABASE_URL names it, too, Airflow's commands, which take seconds to start, run
    only if they have something to change. This function can be run again safely. Raises
    MirpipeError if one of Airflow's commands fails.
    """
    migrate()
    print("mirpipe's schema is up to date", flush=True)
    admin_password(settings)
    url = settings.airflow_database_url
    if not (url and is_migrated(settings, url)):
        _run_airflow("db", "migrate")
        if url:
            record_migration(settings, url)
    print("Airflow's metadata database is up to date", flush=True)
    if not (url and airflow_pools(url).items() >= pool_slots().items()):
        _import_pools()
    print("Airflow's pools and user exist", flush=True)


def _import_pools() -> None:
    """Create or update every pool with a command.

    The REST API is not available yet, because no server is running.
    """
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
            "The command's output above shows the cause."
        )


if __name__ == "__main__":
    prepare(settings())
