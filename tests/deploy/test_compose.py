"""docker-compose.yml, as the real program reads it: what starts, who knows what, what is open."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import make_url

from mirpipe.orchestration import airflow_home
from mirpipe.settings import PROJECT, Settings
from tests.deploy.compose import compose, config, filled_in, needs_program

pytestmark = needs_program

FILE = (PROJECT / "docker-compose.yml").read_text()
EXAMPLE = (PROJECT / ".env.example").read_text()
SECRET = re.compile(r"^([A-Z_]+_(?:PASSWORD|SECRET|KEY))=", re.MULTILINE)
ONCE = {"roles", "init"}
UI = {"api-server": "8080", "dashboard": "8501"}
ALL_PROFILES = "postgres,cpu,gpu"

Services = dict[str, Any]


@pytest.fixture(scope="module")
def services() -> Services:
    """Every service of the file, whatever its profile."""
    found: Services = config(filled_in(COMPOSE_PROFILES=ALL_PROFILES))["services"]
    return found


@pytest.mark.parametrize(
    ("profiles", "started"),
    [
        ("postgres,cpu", {"postgres", "roles", "worker-gpu-without-card"}),
        ("postgres,gpu", {"postgres", "roles", "worker-gpu"}),
        ("gpu", {"worker-gpu"}),
        ("", set()),
    ],
)
def test_profiles_choose_the_database_and_who_generates(profiles: str, started: set[str]) -> None:
    always = {"redis", "init", "api-server", "scheduler", "dag-processor", "worker", "dashboard"}
    assert set(config(filled_in(COMPOSE_PROFILES=profiles))["services"]) == always | started


@pytest.mark.parametrize("name", [*SECRET.findall(EXAMPLE), "LIBRARY", "COMPOSE_PROFILES"])
def test_what_has_to_be_chosen_is_asked_for_by_name(name: str) -> None:
    ended = compose(filled_in(**{name: None}), "config", "--quiet")
    assert ended.returncode != 0
    assert name in ended.stderr


def test_no_secret_has_a_default() -> None:
    assert not re.findall(r"\$\{\w*(?:PASSWORD|SECRET|KEY)\w*:?-", FILE)
    assert all(f"{name}=\n" in EXAMPLE for name in SECRET.findall(EXAMPLE))
    written = re.findall(r"://[^@\s]*:([^@\s]*)@", FILE)
    assert written
    assert all(re.fullmatch(r"\$\{[A-Z_]*PASSWORD(:\?[^}]*)?\}", one) for one in written)


def test_new_secrets_differ_and_may_stand_in_a_url() -> None:
    first, second = filled_in(), filled_in()
    names = SECRET.findall(EXAMPLE)
    assert len({chosen[name] for chosen in (first, second) for name in names}) == 2 * len(names)
    for name in set(names) - {"AIRFLOW_FERNET_KEY"}:
        assert re.fullmatch(r"[\w-]{64}", first[name]), name
    assert Fernet(first["AIRFLOW_FERNET_KEY"])


def test_only_pages_are_open_and_only_to_this_machine(services: Services) -> None:
    for name, service in services.items():
        ports = [(port["host_ip"], port["published"]) for port in service.get("ports", [])]
        assert ports == ([("127.0.0.1", UI[name])] if name in UI else []), name
        assert "network_mode" not in service, name


def test_everything_restarts_and_says_how_it_is_or_runs_once(services: Services) -> None:
    for name, service in services.items():
        if name in ONCE:
            assert service["restart"] == "on-failure:3"
            waiting = [
                other["depends_on"][name]["condition"]
                for other in services.values()
                if name in other.get("depends_on", {})
            ]
            assert set(waiting) == {"service_completed_successfully"}, name
        else:
            assert service["restart"] == "unless-stopped", name
            assert service["healthcheck"]["test"], name


def test_nobody_waits_for_the_health_of_what_has_no_check(services: Services) -> None:
    for name, service in services.items():
        for other, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                assert "healthcheck" in services[other], (name, other)


def test_a_database_of_ones_own_is_waited_for_by_nobody(services: Services) -> None:
    own = config(filled_in(COMPOSE_PROFILES="cpu", POSTGRES_HOST="db.example"))["services"]
    waited = [one.get("depends_on", {}).get("postgres") for one in own.values()]
    assert not any(how["required"] for how in waited if how)
    assert "@db.example:5432/mirpipe" in own["worker"]["environment"]["MIRPIPE_DATABASE_URL"]


def test_everything_is_limited_and_confined(services: Services) -> None:
    for name, service in services.items():
        limits = service["deploy"]["resources"]["limits"]
        assert {"cpus", "memory", "pids"} <= set(limits), name
        assert service["read_only"], name
        assert service["init"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["user"] not in ("", "0", "root", "0:0"), name
        assert any(place.startswith("/tmp:") for place in service.get("tmpfs", [])) or (
            name == "redis"
        ), name
        assert not service.get("privileged"), name


def test_images_have_a_version(services: Services) -> None:
    version = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"]
    for name, service in services.items():
        image, tag = service["image"].rsplit(":", 1)
        if image.startswith("mirpipe-"):
            assert tag == version
            assert service["build"]["target"] == image.removeprefix("mirpipe-")
        else:
            assert re.match(r"\d+\.\d+\.\d+-", tag), (name, tag)
    base = re.findall(r"^FROM (\S+)", (PROJECT / "docker" / "Dockerfile").read_text(), re.M)
    assert base[1:] == ["core"]
    assert re.fullmatch(r"python:3\.11\.\d+-slim-bookworm", base[0])


def test_the_library_is_never_written_to(services: Services) -> None:
    mounts = {
        (name, volume["target"], volume.get("read_only", False))
        for name, service in services.items()
        for volume in service.get("volumes", [])
    }
    library = {(name, only_read) for name, target, only_read in mounts if target == "/library"}
    workers = ("worker", "worker-gpu", "worker-gpu-without-card")
    assert library == {(name, True) for name in (*workers, "dashboard")}
    assert all(only_read for name, _, only_read in mounts if name == "dashboard")


def test_everybody_knows_the_passwords_that_it_needs_and_no_other(services: Services) -> None:
    variables = filled_in(COMPOSE_PROFILES=ALL_PROFILES)
    workers = {"worker", "worker-gpu", "worker-gpu-without-card"}
    airflow = {"api-server", "scheduler", "dag-processor", "init", *workers}
    allowed = {
        "POSTGRES_PASSWORD": {"postgres", "roles"},
        "MIRPIPE_OWNER_PASSWORD": ONCE,
        "MIRPIPE_APP_PASSWORD": ONCE | workers,
        "MIRPIPE_READER_PASSWORD": {*ONCE, *workers, "dashboard"},
        "AIRFLOW_DB_PASSWORD": {*airflow, "roles"},
        "AIRFLOW_ADMIN_PASSWORD": {"init"},
        "AIRFLOW_SESSION_SECRET": airflow,
        "AIRFLOW_JWT_SECRET": airflow,
        "AIRFLOW_FERNET_KEY": airflow,
        "REDIS_PASSWORD": {*airflow, "redis"},
    }
    found = config(variables)["services"]
    for name in SECRET.findall(EXAMPLE):
        knows = {
            service
            for service, said in found.items()
            if any(variables[name] in str(value) for value in said["environment"].values())
        }
        assert knows == allowed[name], name
        assert all(variables[name] not in str(one["command"]) for one in found.values()), name


def test_urls_name_the_roles_that_are_made(services: Services) -> None:
    urls = services["roles"]["environment"]
    assert [
        (
            make_url(urls[f"MIRPIPE_{name}_URL"]).username,
            make_url(urls[f"MIRPIPE_{name}_URL"]).database,
        )
        for name in ("DATABASE", "OWNER", "READER", "AIRFLOW_DATABASE", "SUPERUSER")
    ] == [
        ("mirpipe_app", "mirpipe"),
        ("mirpipe_owner", "mirpipe"),
        ("mirpipe_read", "mirpipe"),
        ("airflow", "airflow"),
        ("postgres", "postgres"),
    ]


def test_the_example_names_every_variable() -> None:
    used = set(re.findall(r"\$\{([A-Z_]+)", FILE))
    used |= set(re.findall(r"^  (MIRPIPE_[A-Z_]+):$", FILE, re.M))
    assert set(re.findall(r"^#?([A-Z_]+)=", EXAMPLE, re.M)) == used


def test_every_setting_reaches_the_workers(services: Services) -> None:
    of_init_alone = {"OWNER_URL", "SUPERUSER_URL", "AIRFLOW_DATABASE_URL", "AIRFLOW_ADMIN_PASSWORD"}
    of_mirpipe_up = {"AIRFLOW_PORT", "DASHBOARD_PORT", "BIND", "GPU_EXECUTOR"}
    of_the_image = {"MODELS_PYTHON"}
    of_a_task, of_tests = {"RUN"}, {"STAND_INS"}
    names = {name.upper() for name in Settings.model_fields}
    here = {
        name.removeprefix("MIRPIPE_")
        for name in services["worker"]["environment"]
        if name.startswith("MIRPIPE_")
    }
    assert here == names - of_init_alone - of_mirpipe_up - of_the_image - of_a_task - of_tests


def test_airflow_is_set_up_as_by_the_command_line(services: Services, tmp_path: Path) -> None:
    apart = {
        "CORE__EXECUTOR",
        "CORE__PARALLELISM",
        *("API__HOST", "API__PORT", "API__BASE_URL", "CORE__EXECUTION_API_SERVER_URL"),
        *("API__SECRET_KEY", "API_AUTH__JWT_SECRET", "CORE__FERNET_KEY"),
        "DATABASE__SQL_ALCHEMY_CONN",
    }
    home = airflow_home.environment(Settings(home=tmp_path), database_url="", port=1)
    expected = {
        name.removeprefix("AIRFLOW__"): value.replace(str(tmp_path), "/var/lib/mirpipe").replace(
            str(PROJECT), "/opt/mirpipe"
        )
        for name, value in home.items()
        if name.startswith("AIRFLOW__")
    }
    for service in ("api-server", "scheduler", "dag-processor", "worker", "worker-gpu"):
        found = services[service]["environment"]
        for name in expected:
            assert f"AIRFLOW__{name}" in found
            if name not in apart:
                assert found[f"AIRFLOW__{name}"] == expected[name], name


def test_a_worker_a_queue_and_one_task_at_a_time_on_a_card(services: Services) -> None:
    def after(name: str, option: str) -> str:
        command: list[str] = services[name]["command"]
        return command[command.index(option) + 1]

    on_cpu, on_gpu = "worker", "worker-gpu"
    assert (after(on_cpu, "--queues"), after(on_gpu, "--queues")) == ("default", "gpu")
    assert after(on_gpu, "--concurrency") == "1"
    slots = int(services[on_cpu]["environment"]["MIRPIPE_SLOTS"])
    assert int(after(on_cpu, "--concurrency")) == slots + 2
    assert services["worker-gpu-without-card"]["command"] == services[on_gpu]["command"]
    (device,) = services[on_gpu]["deploy"]["resources"]["reservations"]["devices"]
    assert (device["driver"], device["count"], device["capabilities"]) == ("nvidia", 1, ["gpu"])
    assert services[on_gpu]["image"].startswith("mirpipe-models:")
    assert "devices" not in str(services["worker-gpu-without-card"]["deploy"])


@pytest.mark.slow
def test_no_message_is_handed_out_again_while_its_task_may_run(
    services: Services, tmp_path: Path
) -> None:
    ask = (
        "from mirpipe.orchestration.dag_defaults import DEFAULT_ARGS as d;"
        "print(d['execution_timeout'].total_seconds())"
    )
    command = [sys.executable, "-c", ask]
    said = subprocess.run(
        command, env={"AIRFLOW_HOME": str(tmp_path)}, cwd=PROJECT, capture_output=True, check=True
    )
    found = services["worker"]["environment"]
    visible = found["AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT"]
    assert int(visible) >= float(said.stdout) + 3600
    assert found["AIRFLOW__CELERY__TASK_ACKS_LATE"] == "True"
    assert found["AIRFLOW__CELERY__WORKER_PREFETCH_MULTIPLIER"] == "1"


def test_workers_elsewhere_are_let_in_on_a_private_address_alone() -> None:
    files = ("docker-compose.yml", "docker/open-to-workers.yml")
    refused = compose(filled_in(), "config", "--quiet", files=files)
    assert refused.returncode != 0
    assert "PRIVATE_ADDRESS" in refused.stderr
    found = config(filled_in(PRIVATE_ADDRESS="10.8.0.1"), files=files)["services"]
    opened = {
        (name, port["host_ip"], port["target"])
        for name, service in found.items()
        for port in service.get("ports", [])
        if port["host_ip"] != "127.0.0.1"
    }
    assert opened == {
        ("postgres", "10.8.0.1", 5432),
        ("redis", "10.8.0.1", 6379),
        ("api-server", "10.8.0.1", 8080),
    }
