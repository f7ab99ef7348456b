"""`mirpipe api`: starts the HTTP API."""

from mirpipe.settings import settings


def api() -> None:
    """Start an HTTP API that reads the library and the results.

    It lists tracks, runs and summaries, and finds references that are similar to a track or to an
    uploaded file. /openapi.json describes all operations. The API only reads. It runs until you
    press Ctrl-C. If the embedded Postgres is not running, it is started, and keeps running.
    """
    from mirpipe.api.app import MAX_CONNECTIONS, create_app
    from mirpipe.api.token import require_token_setting
    from mirpipe.cli.serve_app import serve_app

    chosen = settings()
    require_token_setting(chosen)
    serve_app(
        lambda: create_app(chosen),
        role="reader",
        port=chosen.api_port,
        max_connections=MAX_CONNECTIONS,
        announce="API  {url}/openapi.json",
    )
