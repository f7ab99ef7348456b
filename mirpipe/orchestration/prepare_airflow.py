"""Prepare databases, pools and a user for an Airflow whose servers run as separate processes.

Run `python -m mirpipe.orchestration.prepare_airflow` once before these servers are started for the
first time. Run it again whenever mirpipe or Airflow is updated or the numbers of slots change.
"""

import json
import subprocess
import tempfile
from pathlib import Path

from mirpipe.db.health import airflow_pools, airflow_users
from mirpipe.db.migrate import migrate
from mirpipe.errors import ConfigurationError, MirpipeError
from mirpipe.orchestration import airflow_home
from mirpipe.orchestration.airflow_cli import airflow_command
from mirpipe.orchestration.airflow_home import ADMIN
from mirpipe.orchestration.airflow_migration import is_migrated, record_migration
from mirpipe.orchestration.pools import pool_slots
from mirpipe.settings import Settings, settings


def prepare(settings: Settings) -> None:
    """Migrate both databases, and create Airflow's pools and its first user `admin`.

    Airflow's database is the one that Airflow's environment variables name. If
    MIRPIPE_AIRFLOW_DATABASE_URL names it, too, Airflow's commands, which take seconds to start, run
    only if they have something to change. The user's password is MIRPIPE_AIRFLOW_ADMIN_PASSWORD; if
    the user exists, the password stays as it is. This function can be run again safely. Raises
    ConfigurationError without that password, and MirpipeError if one of Airflow's commands fails.
    """
    if settings.airflow_admin_password is None:
        raise ConfigurationError(
            "MIRPIPE_AIRFLOW_ADMIN_PASSWORD is not set. Set it to the password of Airflow's first "
            "user, admin."
        )
    migrate()
    print("mirpipe's schema is up to date", flush=True)
    airflow_home.folder(settings).mkdir(parents=True, exist_ok=True)
    url = settings.airflow_database_url
    if not (url and is_migrated(settings, url)):
        _run_airflow("db", "migrate")
        if url:
            record_migration(settings, url)
    print("Airflow's metadata database is up to date", flush=True)
    if not (url and airflow_pools(url).items() >= pool_slots().items()):
        _import_pools()
    if not (url and ADMIN in airflow_users(url)):
        _create_admin(settings.airflow_admin_password)
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


def _create_admin(password: str) -> None:
    """Create the user with a command, unless the user exists.

    The command asks for the password twice. It reads the answers from standard input, because a
    process of a session without a terminal has no other input. On the command line, all processes
    could read the password.
    """
    user = ("--username", ADMIN, "--role", "Admin", "--email", f"{ADMIN}@localhost")
    name = ("--firstname", "mirpipe", "--lastname", "administrator")
    _run_airflow("users", "create", *user, *name, answers=f"{password}\n" * 2)


def _run_airflow(*arguments: str, answers: str = "") -> None:
    process = subprocess.run(
        airflow_command(*arguments), input=answers, text=True, start_new_session=True, check=False
    )
    if process.returncode:
        raise MirpipeError(
            f"`airflow {' '.join(arguments)}` failed with exit code {process.returncode}. "
            "The command's output above shows the cause."
        )


if __name__ == "__main__":
    prepare(settings())
