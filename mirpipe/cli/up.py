"""`mirpipe up`: starts everything, processes all new files, and shows the results."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from mirpipe.cli.command_arguments import address_argument
from mirpipe.files.printable_path import printable_path
from mirpipe.orchestration.dashboard_login import require_login
from mirpipe.settings import Settings, settings

INTERRUPTED_EXIT_CODE = 130


def up(
    references: Annotated[
        list[str] | None,
        typer.Option(
            help="Folder of the library that mirpipe searches for matches. Repeat for several "
            "folders. Default: the setting MIRPIPE_REFERENCES."
        ),
    ] = None,
    targets: Annotated[
        list[str] | None,
        typer.Option(
            help="Folder of the tracks for which mirpipe finds matches. Repeat for several "
            "folders. Default: the setting MIRPIPE_TARGETS."
        ),
    ] = None,
    manifest: Annotated[
        Path | None,
        typer.Option(
            help="CSV file with titles and labels. Default: the setting MIRPIPE_MANIFEST."
        ),
    ] = None,
    once: Annotated[
        bool, typer.Option("--once", help="Stop everything after the summary.")
    ] = False,
) -> None:
    """Start everything and process all new files.

    Starts Postgres, the dashboard and Airflow. Airflow then ingests, embeds and matches the tracks,
    captions the targets, generates audio, scores everything and reports. After that, the summary
    and the addresses of the dashboard and Airflow are printed. Airflow keeps looking for new files
    until you press Ctrl-C, which stops everything that this command started. A second run skips
    finished work.

    Exit codes:

    \b
          0  everything is done
          1  a task failed, a model cannot run on this machine, or a server ended
        130  stopped before the summary
    """
    start(_settings_with(references, targets, manifest), once=once)


def start(chosen: Settings, *, once: bool) -> None:
    """Start everything with these settings, process all new files, and exit."""
    from mirpipe.metric_settings import require_known_metrics

    require_known_metrics()
    if not once:
        require_login(chosen)  # Processing the library first could take hours.
    _name_missing_files(chosen)
    try:
        with _stop_on_signals():
            has_failed = _run(chosen, once=once)
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED_EXIT_CODE) from None
    raise typer.Exit(1 if has_failed else 0)


def _settings_with(
    references: list[str] | None, targets: list[str] | None, manifest: Path | None
) -> Settings:
    """Return the settings, with the command's options applied.

    Raises BadParameter if no references folder or no targets folder is set.
    """
    options = {
        "references": [address_argument(text) for text in references or []],
        "targets": [address_argument(text) for text in targets or []],
        "manifest": manifest and manifest.absolute(),
    }
    chosen = settings().model_copy(update={name: value for name, value in options.items() if value})
    if not (chosen.references and chosen.targets):
        raise typer.BadParameter(
            "mirpipe needs a references folder and a targets folder. Run mirpipe up "
            "--references FOLDER --targets FOLDER, or set MIRPIPE_REFERENCES and MIRPIPE_TARGETS."
        )
    return chosen


def _name_missing_files(chosen: Settings) -> None:
    """Print which folders and manifest do not exist. The task that reads them fails much later."""
    for address in (*chosen.references, *chosen.targets, chosen.manifest):
        if isinstance(address, Path) and not address.exists():
            name = printable_path(str(address))
            typer.echo(f"{name} does not exist. Check the path, or mount its disk.", err=True)


def _run(chosen: Settings, *, once: bool) -> bool:
    """Start the servers, run the main job, and wait for Ctrl-C unless `once` is true.

    Returns whether a task failed or a configured plug-in is unavailable.
    """
    from mirpipe.cli.result_tables import print_results
    from mirpipe.cli.unavailable_plugins import print_unavailable_plugins
    from mirpipe.music.compile_in_background import compile_in_background
    from mirpipe.orchestration import airflow_home, local_airflow, main_job
    from mirpipe.orchestration.dashboard_server import DASHBOARD, start_dashboard
    from mirpipe.orchestration.server_processes import Servers
    from mirpipe.orchestration.start_databases import start_databases

    show, started = _step_printer(), datetime.now(UTC)
    servers = Servers(
        chosen.home,
        logs=airflow_home.server_logs(chosen),
        stop_order=(
            (local_airflow.SCHEDULER, local_airflow.DAG_PROCESSOR, DASHBOARD),
            (local_airflow.API_SERVER,),
        ),
    )
    with servers, servers.report_dead_server():
        servers.run_after_stop(lambda: show("everything is stopped"))
        servers.run_after_stop(compile_in_background().kill)
        chosen, airflow_url = start_databases(chosen, servers, show=show)
        if not once:
            address = start_dashboard(chosen, servers)
            show(f"the dashboard shows the progress: {address}")
        airflow = local_airflow.start_airflow(chosen, servers, database_url=airflow_url, show=show)
        main_job.fail_interrupted_runs(airflow, before=started)
        main_job.wait_until_parsed(airflow, since=started, require_alive=servers.require_alive)
        show("Airflow has read the DAGs")
        result = main_job.run_main_job(
            airflow,
            task_logs=airflow_home.folder(chosen) / "logs",
            follow_ups=main_job.follow_up_dags(chosen),
            describe_coverage=main_job.coverage,
            show=show,
            require_alive=servers.require_alive,
        )
        print_results()
        for failure in result.failures:
            show(failure)
        if not result.failures:
            nothing_new = "no changes: finished work was skipped"
            show("the main job is done" if result.has_worked else nothing_new)
        has_failed = print_unavailable_plugins() or bool(result.failures)
        if once:
            return has_failed
        print(f"\ndashboard  {address}")
        print(f"Airflow    {airflow.url}  (user {airflow_home.ADMIN}, password ", end="")
        print(f"{airflow_home.admin_password(chosen)})\n\nCtrl-C stops everything.", flush=True)
        try:
            while True:
                servers.require_alive()
                time.sleep(1)
        except KeyboardInterrupt:
            return has_failed


def _step_printer() -> Callable[[str], None]:
    """Return a function that prints a finished step on stderr, with the seconds since the start."""
    started = time.monotonic()

    def show(step: str) -> None:
        typer.echo(f"{time.monotonic() - started:6.1f} s  {step}", err=True)

    return show


@contextmanager
def _stop_on_signals() -> Iterator[None]:
    """Raise KeyboardInterrupt at the first SIGINT, SIGTERM or SIGHUP, and ignore all later ones.

    Stopping the servers takes several seconds. A second Ctrl-C must not interrupt this, because
    some servers would keep running.
    """
    stop_signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def stop(_number: int, _frame: FrameType | None) -> None:
        for number in stop_signals:
            signal.signal(number, signal.SIG_IGN)
        typer.echo("\nstopping…", err=True)
        raise KeyboardInterrupt

    previous_handlers = {number: signal.signal(number, stop) for number in stop_signals}
    try:
        yield
    finally:
        for number, handler in previous_handlers.items():
            signal.signal(number, handler)
