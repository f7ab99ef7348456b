"""The main job runs in containers over the demo library, and people read its results."""

import json
import re

import httpx
import pytest
from playwright.sync_api import expect

from mirpipe.generation.modes import MODES
from tests.containers.main_job import pending_work, unsuccessful_tasks
from tests.containers.stack import Stack
from tests.dashboard import browser

PAGES = (
    *("", "retrieval", "generation", "listen", "search", "tracks", "track", "map", "hubs"),
    *("listening", "history", "quality", "failures", "sql", "glossary"),
)
REFERENCES, TARGETS, ENCODERS, MATCHES = 49, 11, 2, 10


def test_all_results_exist(undisturbed: Stack) -> None:
    assert unsuccessful_tasks(undisturbed) == []
    assert pending_work(undisturbed) == []
    clips = TARGETS * len(MODES)
    for table, rows in {
        "track": REFERENCES + TARGETS + clips,
        "melody": REFERENCES + TARGETS + clips,
        "served_neighbour": ENCODERS * MATCHES * TARGETS,
        "caption": TARGETS,
        "generation": clips,
        "failure": 0,
    }.items():
        assert int(undisturbed.query(f"SELECT count(*) FROM mirpipe.{table}")) == rows, table
    assert "all checks passed" in undisturbed.run("worker", "mirpipe", "verify")


def test_doctor_finds_no_problem_in_a_worker(undisturbed: Stack) -> None:
    # The exit code is 1 if there is a problem.
    process = undisturbed.engine.try_docker(
        "exec", undisturbed.container("worker"), "mirpipe", "doctor", "--json"
    )
    findings = json.loads(process.stdout)
    assert [finding for finding in findings if finding["level"] == "problem"] == []
    assert {"database", "pools", "dags"} <= {finding["check"] for finding in findings}


def test_the_pages_of_the_dashboard_show_results(undisturbed: Stack) -> None:
    with browser.chromium() as chromium, browser.watched(chromium, "desktop", "light") as page:
        for name in PAGES:
            page.goto(f"{undisturbed.dashboard}/{name}")
            expect(page.get_by_role("heading", level=1)).to_be_visible()
            browser.wait_until_drawn(page)
        page.goto(f"{undisturbed.dashboard}/retrieval")
        expect(page.get_by_text("musicnn").first).to_be_visible()


def test_the_first_user_logs_in_to_airflow(undisturbed: Stack) -> None:
    port = undisturbed.variables["AIRFLOW_PORT"]
    with browser.chromium() as chromium:
        page = chromium.new_page()
        page.goto(f"http://localhost:{port}/")
        page.locator("#username").fill("admin")
        page.locator("#password").fill(undisturbed.variables["AIRFLOW_ADMIN_PASSWORD"])
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile(rf"^http://localhost:{port}/(?!auth)"))
        expect(page.get_by_role("link", name="Dags").first).to_be_visible()


@pytest.mark.parametrize("protocol", ["http", "https"])
def test_airflow_believes_the_proxy_that_people_use_tls(undisturbed: Stack, protocol: str) -> None:
    address = f"127.0.0.1:{undisturbed.variables['AIRFLOW_PORT']}"
    headers = {"X-Forwarded-Proto": protocol, "Referer": f"{protocol}://{address}/auth/login/"}
    with httpx.Client(base_url=f"http://{address}", headers=headers, trust_env=False) as client:
        form = client.get("/auth/login/")
        (token,) = re.findall(r'name="csrf_token"[^>]*value="([^"]+)"', form.text)
        fields = {
            "username": "admin",
            "password": undisturbed.variables["AIRFLOW_ADMIN_PASSWORD"],
            "csrf_token": token,
        }
        answer = client.post("/auth/login/", data=fields)
    assert answer.status_code == 302
    (cookie,) = [
        line for line in answer.headers.get_list("set-cookie") if line.startswith("_token=")
    ]
    assert ("; Secure" in cookie) == (protocol == "https")


def test_starting_a_service_again_prepares_nothing_again(undisturbed: Stack) -> None:
    before = {name: undisturbed.container(name) for name in ("init", "worker", "postgres")}
    undisturbed.up("worker")
    assert {name: undisturbed.container(name) for name in before} == before
    log = undisturbed.engine.docker("logs", before["init"])
    assert log.count("Airflow's pools and user exist") == 2
    assert log.count("Uploaded 2 pool(s)") == 1


@pytest.mark.parametrize(
    ("address", "is_reached"),
    [("postgres:5432", True), ("redis:6379", False), ("api-server:8080", False)],
)
def test_the_dashboard_reaches_postgres_only(
    undisturbed: Stack, address: str, is_reached: bool
) -> None:
    name, port = address.split(":")
    form = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}"
    addresses = undisturbed.engine.docker(
        "inspect", "--format", form, undisturbed.container(name)
    ).split()
    connect = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 3)"
    reached = [
        undisturbed.engine.try_docker(
            "exec", undisturbed.container("dashboard"), "python", "-c", connect, ip, port
        ).returncode
        == 0
        for ip in addresses
    ]
    assert any(reached) == is_reached


def test_the_image_prints_its_own_version(undisturbed: Stack, version: str) -> None:
    assert undisturbed.run("worker", "mirpipe", "--version") == f"mirpipe {version}"
