"""`mirpipe dashboard`: starts the dashboard alone, and opens it in a browser."""

import os
from typing import Annotated

import typer

from mirpipe.orchestration.dashboard_login import require_login
from mirpipe.settings import PROJECT, child_environment, settings


def dashboard(
    browser: Annotated[
        bool, typer.Option(help="Open the dashboard in this machine's web browser.")
    ] = True,
) -> None:
    """Start the dashboard alone.

    Shows the stored results, and does no work. If the embedded Postgres is not running, it is
    started, and keeps running. The dashboard runs until you press Ctrl-C. `mirpipe up` also starts
    it.
    """
    from mirpipe.db.engine import engine
    from mirpipe.orchestration.dashboard_server import dashboard_command
    from mirpipe.orchestration.free_port import reserve_free_port
    from mirpipe.orchestration.server_address import local_url

    chosen = settings()
    require_login(chosen)
    with engine("reader").connect():
        pass  # The database is started, and errors are shown here and not on the first page.
    port, reservation = reserve_free_port(chosen.dashboard_port, bind=chosen.bind)
    typer.echo(f"dashboard  {local_url(chosen.bind, port)}\n\nCtrl-C stops it.", err=True)
    command = dashboard_command(chosen, port, opens_browser=browser)
    # The reservation ends here: Streamlit now replaces this process and listens on the port.
    reservation.close()
    os.chdir(PROJECT)
    os.execve(command[0], command, child_environment(without="AIRFLOW"))
