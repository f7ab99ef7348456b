"""Start the dashboard as a Streamlit server on this machine, with usage statistics turned off."""

import sys

import httpx

from mirpipe.orchestration.dashboard_login import require_login
from mirpipe.orchestration.polling import wait_until
from mirpipe.orchestration.server_address import local_url
from mirpipe.orchestration.server_processes import Servers
from mirpipe.settings import PROJECT, Settings, child_environment

DASHBOARD = "dashboard"


def dashboard_command(settings: Settings, port: int, *, opens_browser: bool) -> list[str]:
    """Return the command that runs the dashboard in the project's folder."""
    options = {
        "server.port": str(port),
        "server.address": settings.bind,
        "server.headless": str(not opens_browser).lower(),
        "server.showEmailPrompt": "false",
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": "false",
    }
    command = [sys.executable, "-m", "streamlit", "run", "dashboard/server.py"]
    return command + [f"--{name}={value}" for name, value in options.items()]


def start_dashboard(settings: Settings, servers: Servers) -> str:
    """Start the dashboard, wait until it responds, and return its URL.

    Raises ConfigurationError if others could reach the dashboard without a login, and MirpipeError
    if the dashboard does not respond within 60 s.
    """
    require_login(settings)
    port = servers.reserve_port(settings.dashboard_port, bind=settings.bind)
    servers.start(
        DASHBOARD,
        dashboard_command(settings, port, opens_browser=False),
        child_environment(without="AIRFLOW", **settings.as_environment()),
        folder=PROJECT,
    )
    url = local_url(settings.bind, port)

    def is_up() -> bool:
        try:
            return httpx.get(f"{url}/_stcore/health", trust_env=False).is_success
        except httpx.TransportError:
            return False

    wait_until(
        is_up,
        seconds=60,
        problem="The dashboard did not start",
        require_alive=servers.require_alive,
    )
    return url
