"""Port check for Airflow and the dashboard."""

from collections.abc import Iterator

from mirpipe.operations.doctor.finding import Finding, ok, warning
from mirpipe.orchestration.home_lock import is_up_running, was_up_killed
from mirpipe.orchestration.server_address import is_port_free
from mirpipe.settings import settings


def check() -> Iterator[Finding]:
    """Check whether both ports are free or used by a running `mirpipe up`.

    Raises ConfigurationError if MIRPIPE_BIND is not an address of this machine.
    """
    home, bind = settings().home, settings().bind
    if is_up_running(home):
        yield ok("ports", "`mirpipe up` is running and uses its ports")
        return
    if was_up_killed(home):
        remedy = "run `mirpipe up`: it first stops the servers of the killed command"
        yield warning("ports", "`mirpipe up` was killed, and its servers may still run", remedy)
    configured = {"AIRFLOW": settings().airflow_port, "DASHBOARD": settings().dashboard_port}
    for name, port in configured.items():
        if is_port_free(bind, port):
            yield ok("ports", f"{port} is free for {name.lower()}")
        else:
            remedy = f"`mirpipe up` takes the next free port; or set MIRPIPE_{name}_PORT"
            yield warning("ports", f"{port} is used by another program", remedy)
