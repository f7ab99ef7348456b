"""Tests that docker-compose.yml defines the right services, secrets, ports and limits."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import make_url

from mirpipe.orchestration import airflow_home, airflow_timeouts
from mirpipe.settings import PROJECT, Settings
from tests.deploy.compose import compose, config, env_file, needs_program

pytestmark = needs_program

FILE = (PROJECT / "docker-compose.yml").read_text()
EXAMPLE = (PROJECT / ".env.example").read_text()
SECRET = re.compile(r"^([A-Z_]+_(?:PASSWORD|SECRET|KEY))=", re.MULTILINE)
RUNS_ONCE = {"roles", "init"}
WORKERS = {"worker", "worker-gpu"}
PLAYERS = ("dashboard", "api", "listening")
"""Services that send audio."""
PAGES = {"api-server": "8080", "dashboard": "8501", "api": "8600", "listening": "8700"}
AIRFLOW_SERVERS = {"api-server", "scheduler", "dag-processor", "triggerer"}
LOG_SERVER = "log-server"
OPERATOR = "operator"
"""The service for single commands, which `docker compose up` does not start."""
ALL_PROFILES = "postgres,gpu,logs,operator,api,listening"

Services = dict[str, Any]


@pytest.fixture(scope="module")
def services() -> Services:
    """Return all services of all profiles."""
    return config(env_file(COMPOSE_PROFILES=ALL_PROFILES))["services"]


@pytest.mark.parametrize(
    ("profiles", "started"),
    [
        ("postgres", {"postgres", "roles"}),
        ("postgres,gpu", {"postgres", "roles", "worker-gpu"}),
        ("gpu,logs", {"worker-gpu", LOG_SERVER}),
        ("api", {"api"}),
        ("listening", {"listening"}),
        ("", set()),
    ],
)
def test_profiles_select_the_database_and_the_gpu_worker(profiles: str, started: set[str]) -> None:
    always = {"redis", "init", *AIRFLOW_SERVERS, "worker", "dashboard"}
    assert set(config(env_file(COMPOSE_PROFILES=profiles))["services"]) == always | started


@pytest.mark.parametrize("name", [*SECRET.findall(EXAMPLE), "LIBRARY", "COMPOSE_PROFILES"])
def test_the_error_names_a_required_variable_that_is_missing(name: str) -> None:
    process = compose(env_file(**{name: None}), "config", "--quiet")
    assert process.returncode != 0
    assert name in process.stderr


def test_no_secret_has_a_default() -> None:
    assert not re.findall(r"\$\{\w*(?:PASSWORD|SECRET|KEY)\w*:?-", FILE)
    assert all(f"{name}=\n" in EXAMPLE for name in SECRET.findall(EXAMPLE))
    in_urls = re.findall(r"://[^@\s]*:([^@\s]*)@", FILE)
    assert in_urls
    variable = re.compile(r"\$\{[A-Z_]*PASSWORD(:\?[^}]*)?\}")
    assert all(variable.fullmatch(password) for password in in_urls)


def test_new_secrets_differ_and_are_valid_in_a_url() -> None:
    first, second = env_file(), env_file()
    names = SECRET.findall(EXAMPLE)
    secrets = {variables[name] for variables in (first, second) for name in names}
    assert len(secrets) == 2 * len(names)
    for name in set(names) - {"AIRFLOW_FERNET_KEY"}:
        assert re.fullmatch(r"[\w-]{64}", first[name]), name
    assert Fernet(first["AIRFLOW_FERNET_KEY"])


def test_only_the_web_pages_have_ports_and_only_on_this_machine(services: Services) -> None:
    for name, service in services.items():
        ports = [(port["host_ip"], port["published"]) for port in service.get("ports", [])]
        open_ports = {**PAGES, LOG_SERVER: "8793"}
        assert ports == ([("127.0.0.1", open_ports[name])] if name in open_ports else []), name
        assert "network_mode" not in service, name


def test_a_proxy_can_require_a_login_for_the_dashboard(services: Services) -> None:
    variables = services["dashboard"]["environment"]
    assert variables["MIRPIPE_DASHBOARD_WITHOUT_LOGIN"] == "true"
    assert variables["MIRPIPE_DASHBOARD_USER_HEADER"] == ""
    header = {"MIRPIPE_DASHBOARD_USER_HEADER": "X-User"}
    changed = config(env_file(**header))["services"]["dashboard"]["environment"]
    assert changed["MIRPIPE_DASHBOARD_USER_HEADER"] == "X-User"


def test_the_api_requires_a_token_unless_a_variable_says_otherwise(services: Services) -> None:
    variables = services["api"]["environment"]
    assert variables["MIRPIPE_BIND"] == "0.0.0.0"
    assert len(variables["MIRPIPE_API_TOKEN"]) == 64
    assert variables["MIRPIPE_API_WITHOUT_LOGIN"] == ""
    open_to_all = env_file(MIRPIPE_API_TOKEN="", MIRPIPE_API_WITHOUT_LOGIN="true")
    changed = config(open_to_all | {"COMPOSE_PROFILES": "api"})["services"]["api"]["environment"]
    assert (changed["MIRPIPE_API_TOKEN"], changed["MIRPIPE_API_WITHOUT_LOGIN"]) == ("", "true")
    token = {"MIRPIPE_API_TOKEN": "a token of the tests", "COMPOSE_PROFILES": "api"}
    for name, service in config(env_file(**token))["services"].items():
        has_token = token["MIRPIPE_API_TOKEN"] in str(service)
        assert has_token == (name == "api"), name


def test_every_service_runs_once_or_restarts_and_has_a_health_check(services: Services) -> None:
    for name, service in services.items():
        if name == OPERATOR:
            assert "restart" not in service
        elif name in RUNS_ONCE:
            assert service["restart"] == "on-failure:3"
            conditions = [
                other["depends_on"][name]["condition"]
                for other in services.values()
                if name in other.get("depends_on", {})
            ]
            assert set(conditions) == {"service_completed_successfully"}, name
        else:
            assert service["restart"] == "unless-stopped", name
            assert service["healthcheck"]["test"], name


def test_services_that_others_wait_for_have_a_health_check(services: Services) -> None:
    for name, service in services.items():
        for other, dependency in service.get("depends_on", {}).items():
            if dependency["condition"] == "service_healthy":
                assert "healthcheck" in services[other], (name, other)


def test_no_service_waits_for_postgres_if_you_use_your_own(services: Services) -> None:
    own = config(env_file(COMPOSE_PROFILES="", POSTGRES_HOST="db.example"))["services"]
    dependencies = [service.get("depends_on", {}).get("postgres") for service in own.values()]
    assert not any(dependency["required"] for dependency in dependencies if dependency)
    assert "@db.example:5432/mirpipe" in own["worker"]["environment"]["MIRPIPE_DATABASE_URL"]


def test_every_service_has_limits_and_few_rights(services: Services) -> None:
    for name, service in services.items():
        limits = service["deploy"]["resources"]["limits"]
        assert {"memory", "pids"} <= set(limits), name
        assert service["read_only"], name
        assert service["init"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["user"] not in ("", "0", "root", "0:0"), name
        assert any(mount.startswith("/tmp:") for mount in service.get("tmpfs", [])) or (
            name == "redis"
        ), name
        assert not service.get("privileged"), name


def test_no_limit_is_above_the_number_of_processors_of_a_small_machine(services: Services) -> None:
    for name, service in services.items():
        assert float(service["deploy"]["resources"]["limits"].get("cpus", 0)) <= 1, name
    limited = config(env_file(WORKER_CPUS="1.5", GPU_WORKER_CPUS="2", COMPOSE_PROFILES="gpu"))
    cpus = {
        name: service["deploy"]["resources"]["limits"]["cpus"]
        for name, service in limited["services"].items()
        if name in {"worker", "worker-gpu"}
    }
    assert cpus == {"worker": "1.5", "worker-gpu": "2"}


def test_workers_leave_processor_time_to_the_servers(services: Services) -> None:
    shares = {name: service["cpu_shares"] for name, service in services.items()}
    workers = {name: shares.pop(name) for name in WORKERS}
    assert 2 * max(workers.values()) <= min(shares.values())


def test_a_slow_start_does_not_count_as_unhealthy(services: Services) -> None:
    for name in set(services) - RUNS_ONCE - {OPERATOR}:
        assert services[name]["healthcheck"]["start_period"] == "10m0s", name


def test_services_for_other_people_reach_postgres_only(services: Services) -> None:
    networks = {name: set(service["networks"]) for name, service in services.items()}
    reached = {name for name in networks if networks[name] & networks["dashboard"]}
    assert reached == {"dashboard", "api", "listening", "postgres"}
    pipeline = {name for name in networks if "pipeline" in networks[name]}
    assert pipeline == set(services) - {"dashboard", "api", "listening"}


def test_volumes_are_mounted_only_where_they_are_needed(services: Services) -> None:
    mounts: dict[str, set[str]] = {}
    for name, service in services.items():
        for volume in service.get("volumes", []):
            reads_only = " (read only)" if volume.get("read_only") else ""
            mounts.setdefault(volume["source"], set()).add(name + reads_only)
    del mounts[str(PROJECT / "demo")]
    writers = {"dag-processor", *WORKERS}
    assert mounts == {
        "postgres": {"postgres"},
        "redis": {"redis"},
        "airflow": {"init"},
        "logs": {*(f"{name} (read only)" for name in ("api-server", LOG_SERVER)), *writers},
        "caches": {*WORKERS, OPERATOR},
        "clips": {*(f"{name} (read only)" for name in PLAYERS), *WORKERS, OPERATOR},
        "models": {"dashboard (read only)", "api (read only)", *WORKERS, OPERATOR},
        "backups": {OPERATOR},
    }


def test_a_named_volume_is_mounted_on_a_folder_of_the_image(services: Services) -> None:
    dockerfile = (PROJECT / "docker" / "Dockerfile").read_text()
    (line,) = re.findall(r"mkdir -p (.*) \\\n", dockerfile.replace(" \\\n       ", " "))
    created = {
        str(parent) for folder in line.split() for parent in [Path(folder), *Path(folder).parents]
    }
    for name in set(services) - {"postgres", "redis"}:
        for volume in services[name].get("volumes", []):
            assert volume["target"] in created, (name, volume["target"])


def test_one_variable_is_the_tag_and_the_version_in_the_image() -> None:
    variables = env_file(MIRPIPE_VERSION="1.2.3", COMPOSE_PROFILES=ALL_PROFILES)
    services = config(variables)["services"]
    for service in services.values():
        if "build" in service:
            assert service["image"].endswith(":1.2.3")
            assert service["build"]["args"] == {"SETUPTOOLS_SCM_PRETEND_VERSION": "1.2.3"}
    stages = re.findall(
        r"^ARG SETUPTOOLS_SCM_PRETEND_VERSION\n(?:USER .*\n)?RUN .*install project",
        (PROJECT / "docker" / "Dockerfile").read_text(),
        re.M,
    )
    assert len(stages) == 2


def test_the_timeout_for_busy_machines_reaches_airflow() -> None:
    services = config(env_file(MIRPIPE_AIRFLOW_TIMEOUT="700"))["services"]
    expected = airflow_timeouts.options(700)
    for name in ("api-server", "scheduler", "dag-processor", "worker"):
        variables = services[name]["environment"]
        assert {option: variables[f"AIRFLOW__{option}"] for option in expected} == expected


def test_images_have_the_newest_version_of_the_changelog(services: Services) -> None:
    changelog = (PROJECT / "CHANGELOG.md").read_text()
    version, *_ = re.findall(r"^## (\d+\.\d+\.\d+)", changelog, re.M)
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


def test_the_library_is_mounted_read_only(services: Services) -> None:
    mounts = {
        (name, volume["target"], volume.get("read_only", False))
        for name, service in services.items()
        for volume in service.get("volumes", [])
    }
    library = {(name, read_only) for name, target, read_only in mounts if target == "/library"}
    assert library == {(name, True) for name in (*WORKERS, *PLAYERS, OPERATOR)}
    assert all(read_only for name, _, read_only in mounts if name in PLAYERS)


def test_every_service_has_only_the_secrets_that_it_needs(services: Services) -> None:
    variables = env_file(COMPOSE_PROFILES=ALL_PROFILES)
    airflow = {*AIRFLOW_SERVERS, "init", LOG_SERVER, *WORKERS}
    allowed = {
        "POSTGRES_PASSWORD": {"postgres", "roles"},
        "MIRPIPE_OWNER_PASSWORD": {*RUNS_ONCE, OPERATOR},
        "MIRPIPE_APP_PASSWORD": {*RUNS_ONCE, *WORKERS, OPERATOR},
        "MIRPIPE_READER_PASSWORD": {*RUNS_ONCE, *WORKERS, "dashboard", "api", OPERATOR},
        "MIRPIPE_LISTENER_PASSWORD": {*RUNS_ONCE, "listening", OPERATOR},
        "AIRFLOW_DB_PASSWORD": {*airflow, "roles", OPERATOR} - {LOG_SERVER},
        "AIRFLOW_ADMIN_PASSWORD": {"init"},
        "AIRFLOW_SESSION_SECRET": airflow,
        "AIRFLOW_JWT_SECRET": airflow - {LOG_SERVER},
        "AIRFLOW_FERNET_KEY": airflow - {LOG_SERVER},
        "REDIS_PASSWORD": {*airflow, "redis"} - {LOG_SERVER},
    }
    services = config(variables)["services"]
    for name in SECRET.findall(EXAMPLE):
        with_secret = {
            service
            for service, values in services.items()
            if any(variables[name] in str(value) for value in values["environment"].values())
        }
        assert with_secret == allowed[name], name
        commands = [str(values["command"]) for values in services.values()]
        assert all(variables[name] not in command for command in commands), name


def test_only_airflow_gets_the_logins_for_messages() -> None:
    variables = env_file(COMPOSE_PROFILES=ALL_PROFILES, MIRPIPE_NOTIFY="slack://a/b/c")
    services = config(variables)["services"]
    with_login = {name for name, service in services.items() if "slack://a/b/c" in str(service)}
    assert with_login == {*AIRFLOW_SERVERS, "init", *WORKERS}


def test_services_that_only_play_can_have_a_login_that_only_reads(tmp_path: Path) -> None:
    guide = (PROJECT / "docs" / "how-to" / "deploy.md").read_text()
    (override,) = re.findall(r"```yaml\n(services:\n.*?)```", guide, re.DOTALL)
    login = {"AWS_ACCESS_KEY_ID": "writes", "AWS_SECRET_ACCESS_KEY": "secret of the writer"}
    reader = {"READ_ONLY_KEY_ID": "reads", "READ_ONLY_SECRET": "secret of the reader"}
    variables = env_file(COMPOSE_PROFILES=ALL_PROFILES, **login, **reader)
    path = tmp_path / "docker-compose.override.yml"
    path.write_text(override)
    services = config(variables, files=("docker-compose.yml", str(path)))["services"]
    for name, service in services.items():
        key = service.get("environment", {}).get("AWS_ACCESS_KEY_ID")
        expected = "reads" if name in PLAYERS else "writes" if key else None
        assert key == expected, name
        assert ("secret of the writer" in str(service)) == (expected == "writes"), name


def test_airflow_sends_people_to_the_address_of_the_proxy(services: Services) -> None:
    def address(services: Services) -> str:
        return str(services["api-server"]["environment"]["AIRFLOW__API__BASE_URL"])

    assert address(services) == "http://localhost:8080"
    assert address(config(env_file(AIRFLOW_PORT="1234"))["services"]) == "http://localhost:1234"
    behind_proxy = config(env_file(AIRFLOW_URL="https://airflow.example.org"))["services"]
    assert address(behind_proxy) == "https://airflow.example.org"
    assert "--proxy-headers" in behind_proxy["api-server"]["command"]


def test_only_services_that_read_audio_get_the_login_for_buckets() -> None:
    login = {"AWS_ACCESS_KEY_ID": "key-of-bucket", "AWS_SECRET_ACCESS_KEY": "secret-of-bucket"}
    addresses = {"MIRPIPE_REFERENCES": "s3://music/reference", "MIRPIPE_CLIPS_DIR": "s3://music/c"}
    variables = env_file(COMPOSE_PROFILES=ALL_PROFILES, **login, **addresses)
    services = config(variables)["services"]
    readers = {*WORKERS, *PLAYERS, OPERATOR}
    for name, value in login.items():
        with_login = {each for each, service in services.items() if value in str(service)}
        assert with_login == readers, name
    for name, value in addresses.items():
        assert {services[each]["environment"][name] for each in readers} == {value}
    default = config(env_file(COMPOSE_PROFILES=ALL_PROFILES))["services"]["worker"]["environment"]
    assert default["MIRPIPE_REFERENCES"] == "/library/reference"
    # A variable without a value would replace the role of the machine.
    assert default.get("AWS_ACCESS_KEY_ID") is None


def test_urls_contain_the_roles_that_are_created(services: Services) -> None:
    urls = services["roles"]["environment"]
    assert [
        (
            make_url(urls[f"MIRPIPE_{name}_URL"]).username,
            make_url(urls[f"MIRPIPE_{name}_URL"]).database,
        )
        for name in ("DATABASE", "OWNER", "READER", "LISTENER", "AIRFLOW_DATABASE", "SUPERUSER")
    ] == [
        ("mirpipe_app", "mirpipe"),
        ("mirpipe_owner", "mirpipe"),
        ("mirpipe_read", "mirpipe"),
        ("mirpipe_listener", "mirpipe"),
        ("airflow", "airflow"),
        ("postgres", "postgres"),
    ]


def test_the_example_contains_every_variable() -> None:
    used = set(re.findall(r"\$\{([A-Z_]+)", FILE))
    used |= set(re.findall(r"^  ((?:MIRPIPE|OTEL|AWS|WORKER)_[A-Z_]+):(?:  #.*)?$", FILE, re.M))
    assert set(re.findall(r"^#?([A-Z_]+)=", EXAMPLE, re.M)) == used


def test_every_setting_reaches_the_workers(services: Services) -> None:
    only_init = {"OWNER_URL", "SUPERUSER_URL", "AIRFLOW_ADMIN_PASSWORD"}
    only_mirpipe_up = {"AIRFLOW_PORT", "DASHBOARD_PORT", "BIND", "GPU_EXECUTOR"}
    only_dashboard = {"DASHBOARD_USER_HEADER", "DASHBOARD_WITHOUT_LOGIN"}
    only_api = {"API_PORT", "API_TOKEN", "API_WITHOUT_LOGIN"}
    only_listening = {"LISTENER_URL", "LISTENING_PORT"}
    set_by_image = {"MODELS_PYTHON"}
    only_tasks, only_tests = {"RUN"}, {"STAND_INS"}
    names = {name.upper() for name in Settings.model_fields}
    in_worker = {
        name.removeprefix("MIRPIPE_")
        for name in services["worker"]["environment"]
        if name.startswith("MIRPIPE_")
    }
    elsewhere = (
        only_init
        | only_mirpipe_up
        | only_dashboard
        | only_api
        | only_listening
        | set_by_image
        | only_tasks
        | only_tests
    )
    assert in_worker == names - elsewhere


def test_airflow_has_the_same_options_as_with_mirpipe_up(
    services: Services, tmp_path: Path
) -> None:
    different = {
        "CORE__EXECUTOR",
        "CORE__PARALLELISM",
        *("API__HOST", "API__PORT", "API__BASE_URL", "CORE__EXECUTION_API_SERVER_URL"),
        *("API__SECRET_KEY", "API_AUTH__JWT_SECRET", "CORE__FERNET_KEY"),
        "DATABASE__SQL_ALCHEMY_CONN",
        "CORE__AUTH_MANAGER",
    }
    only_mirpipe_up = {
        "CORE__SIMPLE_AUTH_MANAGER_USERS",
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE",
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
        variables = services[service]["environment"]
        for name in set(expected) - only_mirpipe_up:
            assert f"AIRFLOW__{name}" in variables
            if name not in different:
                assert variables[f"AIRFLOW__{name}"] == expected[name], name


def test_each_worker_has_its_queue_and_a_gpu_runs_one_task_at_a_time(services: Services) -> None:
    def option_of(name: str, option: str) -> str:
        command: list[str] = services[name]["command"]
        return command[command.index(option) + 1]

    on_cpu, on_gpu = "worker", "worker-gpu"
    assert (option_of(on_cpu, "--queues"), option_of(on_gpu, "--queues")) == ("default", "gpu")
    assert option_of(on_gpu, "--concurrency") == "1"
    slots = int(services[on_cpu]["environment"]["MIRPIPE_SLOTS"])
    assert int(option_of(on_cpu, "--concurrency")) == slots + 2
    (device,) = services[on_gpu]["deploy"]["resources"]["reservations"]["devices"]
    assert (device["driver"], device["count"], device["capabilities"]) == ("nvidia", 1, ["gpu"])
    assert services[on_gpu]["image"].startswith("mirpipe-models:")
    assert "devices" not in str(services[on_cpu]["deploy"])


@pytest.mark.slow
def test_no_message_is_given_to_a_second_worker_while_its_task_may_run(
    services: Services, tmp_path: Path
) -> None:
    program = (
        "from mirpipe.orchestration.dag_defaults import DEFAULT_ARGS as d;"
        "print(d['execution_timeout'].total_seconds())"
    )
    command = [sys.executable, "-c", program]
    process = subprocess.run(
        command, env={"AIRFLOW_HOME": str(tmp_path)}, cwd=PROJECT, capture_output=True, check=True
    )
    variables = services["worker"]["environment"]
    visible = variables["AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT"]
    assert int(visible) >= float(process.stdout) + 3600
    assert variables["AIRFLOW__CELERY__TASK_ACKS_LATE"] == "True"
    assert variables["AIRFLOW__CELERY__WORKER_PREFETCH_MULTIPLIER"] == "1"


def test_ports_for_other_workers_are_open_on_the_private_address_only() -> None:
    files = ("docker-compose.yml", "docker/open-to-workers.yml")
    without_address = compose(env_file(), "config", "--quiet", files=files)
    assert without_address.returncode != 0
    assert "PRIVATE_ADDRESS" in without_address.stderr
    services = config(env_file(PRIVATE_ADDRESS="10.8.0.1"), files=files)["services"]
    open_ports = {
        (name, port["host_ip"], port["target"])
        for name, service in services.items()
        for port in service.get("ports", [])
        if port["host_ip"] != "127.0.0.1"
    }
    assert open_ports == {
        ("postgres", "10.8.0.1", 5432),
        ("redis", "10.8.0.1", 6379),
        ("api-server", "10.8.0.1", 8080),
    }
