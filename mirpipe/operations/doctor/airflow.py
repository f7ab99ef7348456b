"""Whether Airflow, where it has been started here, has its pools and reads the DAGs."""

import socket
from collections.abc import Iterator

from mirpipe.db.embedded_server import embedded_server
from mirpipe.db.health import airflow_pools
from mirpipe.operations.doctor.finding import Finding, ok, problem, warning
from mirpipe.orchestration import airflow_home
from mirpipe.orchestration.dag_import_errors import dag_errors
from mirpipe.orchestration.pools import pools as wanted_pools
from mirpipe.orchestration.server_processes import left_behind, runs_here
from mirpipe.settings import settings


def ports() -> Iterator[Finding]:
    """Whether Airflow and the dashboard will find their ports free, or have them."""
    chosen = settings()
    if runs_here(chosen.home):
        yield ok("ports", "`mirpipe up` is running and has its own")
        return
    if left_behind(chosen.home):
        remedy = "the next `mirpipe up` ends what is left of it"
        yield warning("ports", "a `mirpipe up` was killed here and could not clear up", remedy)
    for name, port in (("AIRFLOW", chosen.airflow_port), ("DASHBOARD", chosen.dashboard_port)):
        if _is_taken(port):
            remedy = f"`mirpipe up` takes the next free one; MIRPIPE_{name}_PORT chooses"
            yield warning("ports", f"{port} is another program's", remedy)
        else:
            yield ok("ports", f"{port} is free for {name.lower()}")


def check() -> Iterator[Finding]:
    """Pools and DAGs; nothing where Airflow was never started in this home."""
    if not airflow_home.folder(settings()).exists():
        return
    yield from pools()
    yield from dags()


def pools() -> Iterator[Finding]:
    """Every pool that a task names, with its slots: without it a task waits forever."""
    url = _metadata()
    if url is None:
        return
    found = airflow_pools(url)
    remedy = (
        "`mirpipe up`, or `python -m mirpipe.orchestration.prepare_airflow` where Airflow runs "
        "apart"
    )
    if missing := [name for name in wanted_pools() if name not in found]:
        said = f"missing: {', '.join(missing)}; tasks in them wait forever"
        yield problem("pools", said, remedy)
        return
    for name, slots in wanted_pools().items():
        if found[name] != slots:
            yield warning("pools", f"{name} has {found[name]} slots, settings say {slots}", remedy)
            return
    yield ok("pools", ", ".join(f"{name} {slots}" for name, slots in wanted_pools().items()))


def dags() -> Iterator[Finding]:
    """Whether Airflow can import every DAG."""
    errors = dag_errors(settings())
    for file, error in errors.items():
        yield problem("dags", f"{file}: {error}", "mend the file, or install what it imports")
    if not errors:
        yield ok("dags", "Airflow reads them all")


def _metadata() -> str | None:
    """The URL of Airflow's database; None where the embedded server is down."""
    if chosen := settings().airflow_database_url:
        return chosen
    server = embedded_server(settings().home)
    return None if server.pid is None else server.url("airflow", "airflow")


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False
