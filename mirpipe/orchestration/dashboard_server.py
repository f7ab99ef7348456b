"""The dashboard as a server: Streamlit, on this machine, telling nobody that it is used."""

import sys

import httpx

from mirpipe.orchestration.airflow_rest_client import wait_for
from mirpipe.orchestration.server_processes import Servers
from mirpipe.settings import PROJECT, Settings, child_environment

DASHBOARD = "dashboard"


def start_dashboard(settings: Settings, servers: Servers) -> str:
    """The address of the dashboard, once it answers."""
    port = servers.free_port(settings.dashboard_port)
    options = {
        "server.port": str(port),
        "server.address": settings.bind,
        "server.headless": "true",
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": "false",
    }
    servers.start(
        DASHBOARD,
        [sys.executable, "-m", "streamlit", "run", "dashboard/app.py"]
        + [f"--{name}={value}" for name, value in options.items()],
        child_environment(without="AIRFLOW", **settings.as_environment()),
        folder=PROJECT,
    )
    address = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        try:
            return httpx.get(f"{address}/_stcore/health", trust_env=False).is_success
        except httpx.TransportError:
            return False

    wait_for(answers, seconds=60, what="the dashboard's start", alive=servers.require_alive)
    return address
