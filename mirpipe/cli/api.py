"""`mirpipe api`: starts the HTTP API."""

import typer

from mirpipe.settings import settings


def api() -> None:
    """Start an HTTP API that reads the library and the results.

    It lists tracks, runs and summaries, and finds references that are similar to a track or to an
    uploaded file. /openapi.json describes all operations. The API only reads. It runs until you
    press Ctrl-C. If the embedded Postgres is not running, it is started, and keeps running.
    """
    import uvicorn

    from mirpipe.api.app import MAX_CONNECTIONS, create_app
    from mirpipe.api.token import require_token_setting
    from mirpipe.db.engine import engine
    from mirpipe.orchestration.free_port import reserve_free_port
    from mirpipe.orchestration.server_address import local_url

    chosen = settings()
    require_token_setting(chosen)
    with engine("reader").connect():
        pass  # The database is started, and errors are shown here and not in the first response.
    port, reservation = reserve_free_port(chosen.api_port, bind=chosen.bind)
    typer.echo(f"API  {local_url(chosen.bind, port)}/openapi.json\n\nCtrl-C stops it.", err=True)
    with reservation:
        uvicorn.run(
            create_app(chosen),
            host=chosen.bind,
            port=port,
            log_level="warning",
            limit_concurrency=MAX_CONNECTIONS,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=5,  # Then a running search is killed.
        )
