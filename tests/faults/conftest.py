"""Fixtures that start one real Airflow for all tests in this folder, and disturb it.

The fixtures build on each other: an evaluation runs on a slow machine while generate_music is
paused, generate_music is activated, and the API server is killed during the next evaluation.
"""

import os
import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import soundfile
from sqlalchemy import create_engine

from mirpipe.db.engine import close_engines
from mirpipe.orchestration import airflow_home, local_airflow
from mirpipe.orchestration.server_processes import Servers
from mirpipe.orchestration.start_databases import start_databases
from mirpipe.settings import PROJECT, Settings, settings
from tests.faults.running_airflow import DONE_SECONDS, RunningAirflow
from tests.support.waiting import eventually
from tests.support.webhook import Webhook, running_webhook

TIMEOUT_SECONDS = 45
"""MIRPIPE_AIRFLOW_TIMEOUT: longer than anything that is only slow, and short for a test."""
SLOW_SECONDS = 30
"""Duration of one heartbeat on an overloaded machine."""
TOKEN_SECONDS = 30
"""Lifetime of a queued task's token, shorter than the time without an API server."""
SECONDS = 5
"""Length of each track."""
REFERENCES = ["West", "funk_80", "reggae_78"]
REMOVED = "reggae_78"
"""Reference that is removed when the second target is added."""
FIRST, SECOND, THIRD = "Jazz 120 BPM", "Scottish bagpipes", "Country 114 BPM"
"""Targets, in the order in which the tests add them."""
_CRONS = ("ingest_cron", "evaluate_cron", "generate_cron", "maintenance_cron")
_OVERRIDDEN = {
    "AIRFLOW__EXECUTION_API__JWT_EXPIRATION_TIME": str(2 * TOKEN_SECONDS),
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": str(TOKEN_SECONDS),
}


@dataclass(frozen=True)
class Library:
    """Two folders with short excerpts of demo tracks."""

    references: Path
    targets: Path

    def add(self, collection: str, title: str) -> None:
        """Write the first seconds of the track to the folder of its collection."""
        folder = self.references if collection == "reference" else self.targets
        with soundfile.SoundFile(PROJECT / "demo" / collection / f"{title}.ogg") as music:
            samples, rate = music.read(SECONDS * music.samplerate), music.samplerate
        soundfile.write(folder / f"{title}.wav", samples, rate)


@pytest.fixture(scope="session")
def library(short_folder: Path) -> Library:
    """A library with three references and one target."""
    folder = short_folder / "faults-library"
    new = Library(folder / "reference", folder / "target")
    new.references.mkdir(parents=True)
    new.targets.mkdir()
    for title in REFERENCES:
        new.add("reference", title)
    new.add("target", FIRST)
    return new


@pytest.fixture(scope="session")
def webhook() -> Iterator[Webhook]:
    """A web server that receives the messages about failed runs."""
    with running_webhook() as started:
        yield started


@pytest.fixture(scope="session")
def airflow(short_folder: Path, library: Library, webhook: Webhook) -> Iterator[RunningAirflow]:
    """An Airflow with mirpipe's DAGs and the DAGs of this folder, all of them active."""
    dags = short_folder / "faults-dags"
    dags.mkdir()
    for file in (*(PROJECT / "dags").glob("*.py"), *(Path(__file__).parent / "dags").glob("*.py")):
        shutil.copy(file, dags)
    original = airflow_home.environment

    def environment(chosen: Settings, *, database_url: str, port: int) -> dict[str, str]:
        variables = original(chosen, database_url=database_url, port=port)
        return variables | _OVERRIDDEN | {"AIRFLOW__CORE__DAGS_FOLDER": str(dags)}

    home = short_folder / "faults"
    servers = Servers(
        home,
        logs=home / "logs",
        stop_order=(
            (local_airflow.SCHEDULER, local_airflow.DAG_PROCESSOR),
            (local_airflow.API_SERVER,),
        ),
    )
    with servers, pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("MIRPIPE_")]:
            patch.delenv(name)
        patch.setenv("MIRPIPE_HOME", str(home))
        patch.setattr(airflow_home, "environment", environment)
        settings.cache_clear()
        chosen = Settings(
            home=home,
            references=[library.references],
            targets=[library.targets],
            encoders=["signal"],
            airflow_timeout=TIMEOUT_SECONDS,
            airflow_port=18200,
            notify=webhook.address,
            **dict.fromkeys(_CRONS, "0 0 1 1 *"),
        )
        chosen, url = start_databases(chosen, servers, show=print)
        client = local_airflow.start_airflow(chosen, servers, database_url=url, show=print)
        close_engines()
        assert chosen.database_url is not None
        running = RunningAirflow(
            settings=chosen,
            servers=servers,
            client=client,
            environment=environment(
                chosen, database_url=url, port=int(client.url.rpartition(":")[2])
            ),
            metadata=create_engine(url),
            music=create_engine(chosen.database_url),
        )
        names = sorted(path.stem for path in (PROJECT / "dags").glob("*.py"))
        for dag_id in (*names, "broken", "held", "queued", "slow_import"):
            eventually(lambda dag_id=dag_id: client.last_parsed_at(dag_id), seconds=DONE_SECONDS)
            client.unpause(dag_id)
        settings.cache_clear()
        try:
            yield running
        finally:
            running.metadata.dispose()
            running.music.dispose()
            client.close()


@pytest.fixture(scope="session")
def after_slow_machine(airflow: RunningAirflow) -> RunningAirflow:
    """Airflow after an evaluation during which heartbeats and a DAG import took 30 s.

    The DAG generate_music is paused when the evaluation updates its asset.
    """
    airflow.set_paused("generate_music", paused=True)
    airflow.client.trigger("ingest_library")
    eventually(lambda: airflow.is_running("evaluate_retrieval"), seconds=DONE_SECONDS)
    airflow.client.trigger("slow_import")
    eventually(lambda: airflow.is_running("slow_import"), seconds=DONE_SECONDS)
    airflow.stop_api_server(signal.SIGSTOP)
    try:
        eventually(
            lambda: any(
                task.silent_seconds > SLOW_SECONDS
                for task in airflow.tasks("slow_import")
                if task.state == "running"
            ),
            seconds=2 * SLOW_SECONDS,
        )
    finally:
        airflow.stop_api_server(signal.SIGCONT)
    eventually(lambda: airflow.all_succeed("slow_import", number=1), seconds=DONE_SECONDS)
    (airflow.settings.home / "fast").touch()
    for dag_id in ("ingest_library", "evaluate_retrieval"):
        eventually(
            lambda dag_id=dag_id: airflow.all_succeed(dag_id, number=1), seconds=DONE_SECONDS
        )
    return airflow


@pytest.fixture(scope="session")
def after_pause(after_slow_machine: RunningAirflow) -> RunningAirflow:
    """Airflow after generate_music was activated again, and its next scheduled run has ended."""
    airflow = after_slow_machine
    airflow.set_paused("generate_music", paused=False)
    airflow.restart_dag_processor(MIRPIPE_GENERATE_CRON="* * * * * */20")  # every 20 seconds
    eventually(lambda: airflow.runs("generate_music"), seconds=DONE_SECONDS)
    airflow.restart_dag_processor()
    eventually(lambda: airflow.has_no_run_soon("generate_music"), seconds=DONE_SECONDS)
    eventually(lambda: airflow.is_idle("generate_music"), seconds=DONE_SECONDS)
    return airflow


@pytest.fixture(scope="session")
def after_restart(after_pause: RunningAirflow, library: Library) -> RunningAirflow:
    """Airflow after the API server was killed, and started again when tasks had been given up."""
    airflow = after_pause
    library.add("target", SECOND)
    (library.references / f"{REMOVED}.wav").unlink()
    airflow.client.trigger("held")
    airflow.client.trigger("ingest_library")
    eventually(lambda: airflow.is_running("held"), seconds=DONE_SECONDS)
    eventually(lambda: airflow.is_running("evaluate_retrieval", "analyse"), seconds=DONE_SECONDS)
    airflow.client.trigger("queued")
    airflow.stop_api_server(signal.SIGKILL)
    eventually(
        lambda: [task.state for task in airflow.tasks("queued")] == ["queued"],
        seconds=DONE_SECONDS,
    )
    eventually(
        lambda: [task.state for task in airflow.tasks("held")] == ["up_for_retry"],
        seconds=2 * TIMEOUT_SECONDS,
    )
    airflow.start_api_server()
    return airflow
