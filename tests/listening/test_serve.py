"""`mirpipe listening serve` uses its own port, and refuses a login that can do more than answer."""

import socket
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner, Result

from mirpipe.cli.main import app
from mirpipe.db.engine import close_engines
from mirpipe.settings import settings
from tests.support.databases import Database


@pytest.fixture(autouse=True)
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Yield the configured port, which another program uses."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        monkeypatch.setenv("MIRPIPE_LISTENING_PORT", str(number))
        settings.cache_clear()
        yield number
    close_engines()
    settings.cache_clear()


def serve() -> Result:
    return CliRunner().invoke(app, ["listening", "serve"])


def test_the_pages_use_no_other_port_than_the_links(fresh_database: Database, port: int) -> None:
    assert fresh_database.listener.url.username == "mirpipe_listener"
    result = serve()
    assert result.exit_code == 1
    assert str(result.exception) == (
        f"Port {port} on 127.0.0.1 is in use. Stop the program that uses it, or set "
        "MIRPIPE_LISTENING_PORT to another port, and create the links again."
    )


@pytest.mark.parametrize("url", [None, "MIRPIPE_READER_URL", "MIRPIPE_OWNER_URL"])
def test_the_pages_refuse_a_login_that_reaches_tables(
    fresh_database: Database, monkeypatch: pytest.MonkeyPatch, url: str | None
) -> None:
    other = getattr(settings(), (url or "MIRPIPE_DATABASE_URL").removeprefix("MIRPIPE_").lower())
    if url is None:
        monkeypatch.delenv("MIRPIPE_LISTENER_URL")
    else:
        monkeypatch.setenv("MIRPIPE_LISTENER_URL", other)
    settings.cache_clear()
    close_engines()
    result = serve()
    assert result.exit_code == 1
    login = {None: fresh_database.app, "MIRPIPE_READER_URL": fresh_database.reader}.get(
        url, fresh_database.owner
    )
    assert f"The login {login.url.username} can do more than" in str(result.exception)
    assert "Set MIRPIPE_LISTENER_URL to" in str(result.exception)
    assert "mirpipe db provision" in str(result.exception)
