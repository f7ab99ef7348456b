"""Runs a web application until Ctrl-C."""

from collections.abc import Callable

import typer
from starlette.types import ASGIApp

from mirpipe.db.engine import PipelineRole
from mirpipe.errors import ConfigurationError
from mirpipe.settings import settings

STOP_SECONDS = 5
"""How long running requests may take after Ctrl-C. Then a search is killed."""


def serve_app(
    create_app: Callable[[], ASGIApp],
    *,
    role: PipelineRole,
    port: int,
    max_connections: int,
    announce: str,
    if_port_is_used: str | None = None,
) -> None:
    """Start the application at MIRPIPE_BIND and `port`, or the next free port, and print where.

    If `if_port_is_used` is a remedy, no other port is used. ConfigurationError then names it.
    `role` is the role by which the application reads the database. `{url}` in `announce` is
    replaced by the address. More than `max_connections` connections get 503.
    """
    import uvicorn

    from mirpipe.db.engine import engine
    from mirpipe.orchestration.free_port import reserve_free_port
    from mirpipe.orchestration.server_address import local_url

    bind = settings().bind
    with engine(role).connect():
        pass  # The database is started, and errors are shown here and not in the first response.
    free, reservation = reserve_free_port(port, bind=bind)
    if free != port and if_port_is_used is not None:
        reservation.close()
        raise ConfigurationError(
            f"Port {port} on {bind} is in use. Stop the program that uses it, or {if_port_is_used}."
        )
    port = free
    typer.echo(f"{announce.format(url=local_url(bind, port))}\n\nCtrl-C stops it.", err=True)
    with reservation:
        uvicorn.run(
            create_app(),
            host=bind,
            port=port,
            log_level="warning",
            limit_concurrency=max_connections,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=STOP_SECONDS,
        )
