"""Airflow checks: missing pools, and DAG files that cannot be imported."""

from collections.abc import Iterator

from mirpipe.db.embedded_server_roles import embedded_server
from mirpipe.db.health import airflow_pools
from mirpipe.operations.doctor.finding import Finding, ok, problem, warning
from mirpipe.orchestration import airflow_home
from mirpipe.orchestration.dag_import_errors import dag_errors
from mirpipe.orchestration.pools import pool_slots
from mirpipe.settings import settings


def check() -> Iterator[Finding]:
    """Check pools and DAGs. Yields nothing if Airflow was never started with this home folder."""
    if not airflow_home.folder(settings()).exists():
        return
    yield from pools()
    yield from dags()


def pools() -> Iterator[Finding]:
    """Check that each pool has the configured slots. Skipped if the database is not running.

    The pools are read from Airflow's database, because the REST API is available only while Airflow
    is running.
    """
    url = _metadata_url()
    if url is None:
        return
    existing = airflow_pools(url)
    remedy = (
        "run `mirpipe up`; or, if Airflow runs separately, "
        "`python -m mirpipe.orchestration.prepare_airflow`"
    )
    if missing := [name for name in pool_slots() if name not in existing]:
        message = f"missing: {', '.join(missing)}; tasks in a missing pool wait forever"
        yield problem("pools", message, remedy)
        return
    for name, slots in pool_slots().items():
        if existing[name] != slots:
            message = f"{name} has {existing[name]} slots, but {slots} are configured"
            yield warning("pools", message, remedy)
            return
    yield ok("pools", ", ".join(f"{name} {slots}" for name, slots in pool_slots().items()))


def dags() -> Iterator[Finding]:
    """Check whether Airflow can import every DAG file."""
    errors = dag_errors(settings())
    for file, error in errors.items():
        remedy = "correct the file, or install the package that it imports"
        yield problem("dags", f"{file}: {error}", remedy)
    if not errors:
        yield ok("dags", "Airflow can import all DAG files")


def _metadata_url() -> str | None:
    """Return the URL of Airflow's database, or None if the embedded server is not running."""
    if configured := settings().airflow_database_url:
        return configured
    server = embedded_server(settings().home)
    return None if server.pid is None else server.url("airflow", "airflow")
