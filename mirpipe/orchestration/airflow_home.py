"""Airflow's own folder under ours: its secrets, made once, and the environment of its processes."""

import base64
import json
import os
import secrets
from pathlib import Path

from mirpipe.settings import PROJECT, Settings, child_environment

ADMIN = "admin"

_OFF, _ON = "False", "True"


def folder(settings: Settings) -> Path:
    """AIRFLOW_HOME: configuration, secrets and task logs."""
    return settings.home / "airflow"


def logs(settings: Settings) -> Path:
    """Where `mirpipe up` keeps the output of the processes it starts."""
    return settings.home / "logs"


def admin_password(settings: Settings) -> str:
    """The password of Airflow's user `admin`: the settings', or one that is made at first use."""
    chosen = settings.airflow_admin_password
    if chosen and _passwords(settings).exists():
        _passwords(settings).unlink()
    made = json.dumps({ADMIN: chosen or secrets.token_urlsafe(12)})
    return str(json.loads(_once(_passwords(settings), made))[ADMIN])


def environment(settings: Settings, *, database_url: str, port: int) -> dict[str, str]:
    """Everything that Airflow's processes need, whatever the caller's own Airflow variables say.

    `database_url` is that of the metadata; `port` is the API server's on this machine.
    """
    home = folder(settings)
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    admin_password(settings)
    url = f"http://127.0.0.1:{port}"
    options = {
        "CORE__DAGS_FOLDER": str(PROJECT / "dags"),
        "CORE__LOAD_EXAMPLES": _OFF,
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": str(settings.slots + 2),
        "CORE__MP_START_METHOD": "fork",
        "CORE__AUTH_MANAGER": "airflow.api_fastapi.auth.managers.simple.simple_auth_manager"
        ".SimpleAuthManager",
        "CORE__SIMPLE_AUTH_MANAGER_USERS": f"{ADMIN}:admin",
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(_passwords(settings)),
        "CORE__FERNET_KEY": _once(
            home / "fernet.key", base64.urlsafe_b64encode(os.urandom(32)).decode()
        ),
        "CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "DATABASE__SQL_ALCHEMY_CONN": database_url,
        "DATABASE__CHECK_MIGRATIONS": _OFF,  # `mirpipe up` migrates before it starts anything
        "LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        "LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY": str(home / "logs" / "dag_processor"),
        "LOGGING__COLORED_CONSOLE_LOG": _OFF,
        "LOGGING__NAMESPACE_LEVELS": "http.access=WARNING airflow.api_fastapi=WARNING "
        "airflow.serialization=WARNING airflow.dag_processing=WARNING",
        "API__HOST": settings.bind,
        "API__PORT": str(port),
        "API__BASE_URL": url,
        "API__WORKERS": "1",
        "API__SECRET_KEY": _once(home / "session.key", secrets.token_hex(32)),
        "API_AUTH__JWT_SECRET": _once(home / "jwt.key", secrets.token_hex(32)),
        "API_AUTH__JWT_ISSUER": "mirpipe",
        # a heartbeat holds its slot this long after a task; the product bears an API outage of 15 s
        "WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        "WORKERS__MAX_FAILED_HEARTBEATS": "15",
        # a killed worker or scheduler is noticed soon after that, not after five minutes
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "30",
        "SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "30",
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.5",
        "DAG_PROCESSOR__PARSING_PROCESSES": "1",
        "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "60",
        "DAG_PROCESSOR__PRINT_STATS_INTERVAL": "0",
    }
    return child_environment(without="AIRFLOW", **settings.as_environment()) | {
        "AIRFLOW_HOME": str(home),
        "NO_PROXY": _no_proxy(),
        "no_proxy": _no_proxy(),
        "PYTHONUNBUFFERED": "1",
        **{f"AIRFLOW__{name}": value for name, value in options.items()},
    }


def _no_proxy() -> str:
    there = child_environment(without="AIRFLOW")
    listed = there.get("no_proxy") or there.get("NO_PROXY") or ""
    return ",".join(filter(None, [listed, "127.0.0.1", "localhost"]))


def _passwords(settings: Settings) -> Path:
    return folder(settings) / "passwords.json"


def _once(path: Path, made: str) -> str:
    """The file's content; where there is none yet, `made`, readable by its owner alone."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.{os.getpid()}")
    new.touch(mode=0o600)
    new.write_text(made + "\n")
    try:
        os.link(new, path)  # appears whole or not at all, and never replaces the first
    except FileExistsError:
        pass
    finally:
        new.unlink()
    return path.read_text().strip()
