"""Airflow's folder inside MIRPIPE_HOME, its secrets, and the environment of its processes."""

import base64
import json
import os
import secrets
from pathlib import Path

from mirpipe.orchestration import airflow_timeouts, telemetry
from mirpipe.orchestration.server_address import local_host, local_url
from mirpipe.settings import PROJECT, Settings, child_environment

ADMIN = "admin"
"""Name of Airflow's only user."""

_OFF = "False"


def folder(settings: Settings) -> Path:
    """Return AIRFLOW_HOME, the folder that contains Airflow's secrets and task logs."""
    return settings.home / "airflow"


def server_logs(settings: Settings) -> Path:
    """Return the folder for the log files of the servers that `mirpipe up` starts."""
    return settings.home / "logs"


def admin_password(settings: Settings) -> str:
    """Return the password of Airflow's user `admin`.

    It is the configured password, or else a random password that is stored at first use.
    """
    configured = settings.airflow_admin_password
    file = _password_file(settings)
    if configured and file.exists():
        file.unlink()
    content = json.dumps({ADMIN: configured or secrets.token_urlsafe(12)})
    return str(json.loads(_read_or_create(file, content))[ADMIN])


def environment(settings: Settings, *, database_url: str, port: int) -> dict[str, str]:
    """Return all environment variables for Airflow's processes, and create missing secrets.

    AIRFLOW variables of the current process are not inherited. `database_url` is the URL of
    Airflow's metadata database, and `port` is the API server's port on this machine.
    """
    home = folder(settings)
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    admin_password(settings)
    no_proxy = _no_proxy(local_host(settings.bind))
    url = local_url(settings.bind, port)
    options = {
        "CORE__DAGS_FOLDER": str(PROJECT / "dags"),
        "CORE__LOAD_EXAMPLES": _OFF,
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": str(settings.slots + 2),
        "CORE__MP_START_METHOD": "fork",
        "CORE__AUTH_MANAGER": "airflow.api_fastapi.auth.managers.simple.simple_auth_manager"
        ".SimpleAuthManager",
        "CORE__SIMPLE_AUTH_MANAGER_USERS": f"{ADMIN}:admin",
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(_password_file(settings)),
        "CORE__FERNET_KEY": _read_or_create(
            home / "fernet.key", base64.urlsafe_b64encode(os.urandom(32)).decode()
        ),
        "CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "DATABASE__SQL_ALCHEMY_CONN": database_url,
        "DATABASE__CHECK_MIGRATIONS": _OFF,  # `mirpipe up` runs the migrations itself
        "LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        "LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY": str(home / "logs" / "dag_processor"),
        "LOGGING__COLORED_CONSOLE_LOG": _OFF,
        "LOGGING__NAMESPACE_LEVELS": "http.access=WARNING airflow.api_fastapi=WARNING "
        "airflow.serialization=WARNING airflow.dag_processing=WARNING",
        "API__HOST": settings.bind,
        "API__PORT": str(port),
        "API__BASE_URL": url,
        "API__WORKERS": "1",
        "API__SECRET_KEY": _read_or_create(home / "session.key", secrets.token_hex(32)),
        "API_AUTH__JWT_SECRET": _read_or_create(home / "jwt.key", secrets.token_hex(32)),
        "API_AUTH__JWT_ISSUER": "mirpipe",
        # A task keeps its slot for one heartbeat interval after it ends, so the interval is short.
        "WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        "SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "30",
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.5",
        "DAG_PROCESSOR__PARSING_PROCESSES": "1",
        "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "60",
        "DAG_PROCESSOR__PRINT_STATS_INTERVAL": "0",
        **airflow_timeouts.options(settings.airflow_timeout),
        **telemetry.airflow_options(),
    }
    return child_environment(without="AIRFLOW", **settings.as_environment()) | {
        "AIRFLOW_HOME": str(home),
        "NO_PROXY": no_proxy,
        "no_proxy": no_proxy,
        "PYTHONUNBUFFERED": "1",
        **{f"AIRFLOW__{name}": value for name, value in options.items()},
    }


def _no_proxy(host: str) -> str:
    """Return the hosts that are reached without a proxy: the configured hosts and this machine.

    `host` is the address of the API server.
    """
    variables = child_environment(without="AIRFLOW")
    configured = variables.get("no_proxy") or variables.get("NO_PROXY") or ""
    return ",".join(filter(None, [configured, *dict.fromkeys(("127.0.0.1", "localhost", host))]))


def _password_file(settings: Settings) -> Path:
    return folder(settings) / "passwords.json"


def _read_or_create(path: Path, content: str) -> str:
    """Return the content of the file; if it does not exist, create it with `content` first.

    Only the file's owner can read it.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    temporary.touch(mode=0o600)
    temporary.write_text(content + "\n")
    try:
        os.link(temporary, path)  # creates a complete file, and never replaces an existing file
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
    return path.read_text().strip()
