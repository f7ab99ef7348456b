"""`mirpipe up`: everything at once, from an empty folder to the summary and the dashboard."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from mirpipe.settings import Settings, settings

INTERRUPTED = 130


def up(
    references: Annotated[
        list[Path] | None, typer.Option(help="Folder of the library searched in; repeatable.")
    ] = None,
    targets: Annotated[
        list[Path] | None, typer.Option(help="Folder of what is looked for; repeatable.")
    ] = None,
    manifest: Annotated[Path | None, typer.Option(help="CSV with titles and labels.")] = None,
    once: Annotated[
        bool, typer.Option("--once", help="End after the summary and leave nothing running.")
    ] = False,
) -> None:
    """Start Postgres, Airflow and the dashboard, do what is missing, and show the answers.

    Folders default to the settings. A second run does no work twice. Ctrl-C stops everything that
    this command started.

    Exit codes: 0 all done; 1 a task failed, a model is unavailable, or a server ended by itself;
    130 stopped before the summary.
    """
    chosen = _chosen(references, targets, manifest)
    try:
        with _stopped_by_signals():
            failed = _run(chosen, once=once)
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    raise typer.Exit(1 if failed else 0)


def _chosen(
    references: list[Path] | None, targets: list[Path] | None, manifest: Path | None
) -> Settings:
    given = {
        "references": [path.absolute() for path in references or []],
        "targets": [path.absolute() for path in targets or []],
        "manifest": manifest and manifest.absolute(),
    }
    chosen = settings().model_copy(update={name: value for name, value in given.items() if value})
    if not (chosen.references and chosen.targets):
        raise typer.BadParameter(
            "name at least one folder of references and one of targets: mirpipe up "
            "--references FOLDER --targets FOLDER (or set MIRPIPE_REFERENCES, MIRPIPE_TARGETS)"
        )
    return chosen


def _run(chosen: Settings, *, once: bool) -> bool:
    """Does it all until the summary, or until Ctrl-C; returns whether anything was left undone."""
    from mirpipe.cli.result_tables import print_results
    from mirpipe.cli.unavailable_plugins import say_unavailable
    from mirpipe.orchestration import airflow_home, local_airflow, main_job
    from mirpipe.orchestration.dashboard_server import DASHBOARD, start_dashboard
    from mirpipe.orchestration.server_processes import Servers
    from mirpipe.orchestration.start_databases import start_databases

    say, began = _steps(), datetime.now(UTC)
    servers = Servers(
        chosen.home,
        logs=airflow_home.logs(chosen),
        stop_order=(
            local_airflow.SCHEDULER,
            local_airflow.DAG_PROCESSOR,
            DASHBOARD,
            local_airflow.API_SERVER,
        ),
    )
    with servers, servers.blamed():
        servers.afterwards(lambda: say("everything is stopped"))
        chosen, airflow_url = start_databases(chosen, servers, say=say)
        airflow = local_airflow.start_airflow(chosen, servers, database_url=airflow_url, say=say)
        main_job.abandon_interrupted(airflow, before=began)
        main_job.wait_until_parsed(airflow, since=began, alive=servers.require_alive)
        say("Airflow has read the DAGs")
        result = main_job.run_main_job(
            airflow,
            task_logs=airflow_home.folder(chosen) / "logs",
            pending=main_job.follow_ups(chosen),
            say=say,
            alive=servers.require_alive,
        )
        print_results()
        for failure in result.failures:
            say(failure)
        if not result.failures:
            say("the main job is done" if result.worked else "nothing new: no work done twice")
        failed = say_unavailable() or bool(result.failures)
        if once:
            return failed
        address = start_dashboard(chosen, servers)
        print(f"\ndashboard  {address}")
        print(f"Airflow    {airflow.url}  (user {airflow_home.ADMIN}, password ", end="")
        print(f"{airflow_home.admin_password(chosen)})\n\nCtrl-C stops everything.", flush=True)
        try:
            while True:
                servers.require_alive()
                time.sleep(1)
        except KeyboardInterrupt:
            return failed


def _steps() -> Callable[[str], None]:
    began = time.monotonic()

    def say(what: str) -> None:
        typer.echo(f"{time.monotonic() - began:6.1f} s  {what}", err=True)

    return say


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """Turns the first of SIGINT, SIGTERM and SIGHUP into KeyboardInterrupt, and ignores the rest.

    Stopping takes seconds, and a second Ctrl-C must not leave servers behind.
    """
    stopping = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def stop(_number: int, _frame: FrameType | None) -> None:
        for number in stopping:
            signal.signal(number, signal.SIG_IGN)
        typer.echo("\nstopping…", err=True)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in stopping}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
