"""The dashboard as a person meets it: a real Streamlit server in a real Chromium."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError

import pytest
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Page,
    Request,
    expect,
    sync_playwright,
)

from mirpipe.modes import MODES
from mirpipe.settings import PROJECT
from tests.conftest import Database
from tests.dashboard.clips import UNGUIDED, Maker, describe, make
from tests.dashboard.filled import fail, fill
from tests.dashboard.pages import HOSTILE, MODELS, PIECES, link

MAKERS = (
    Maker("resynth", UNGUIDED, licence_weights="none"),
    Maker("musicgen", seeds=2, checkpoint="random, seed 0"),
)
CONTRADICTIONS = ("tempo: says 90 BPM, measured 120.4", "key: says C major, measured A minor")

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SCREENSHOTS = PROJECT / "var/screenshots"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SIZES = {"desktop": (1280, 900), "phone": (390, 844)}
FLAGS = (
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--autoplay-policy=no-user-gesture-required",
)
# Opened at a page's address, Streamlit's own script looks for its server below that address first.
PROBES = ("/_stcore/health", "/_stcore/host-config")
# A player on its way out may ask for a file that the server has let go; DECODED holds the others.
LEFT_BEHIND = "/media/"
DECODED = """() => {
  const all = [...document.querySelectorAll("audio")];
  return all.length && all.every((one) => one.readyState >= 1 && one.duration > 0);
}"""
SIDEWAYS = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
TOGETHER = """async () => {
  const [first, second] = document.querySelectorAll("audio");
  for (const one of [first, second]) { one.muted = true; await one.play(); }
  return [first.paused, second.paused];
}"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's browser; where it is missing, a skip, and in CI a failure."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        missing = "Chromium is missing: run `apt-get install chromium` as root"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    root = ("--no-sandbox",) if os.geteuid() == 0 else ()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=[*FLAGS, *root])
        yield browser
        browser.close()


@pytest.fixture
def address(fresh_database: Database, tmp_path: Path) -> Iterator[str]:
    """A dashboard over a filled database, on a port of its own, started from another folder."""
    with fresh_database.app.begin() as connection:
        fill(connection, PIECES, MODELS)
        describe(connection, caption="静かな曲, at 90 BPM.", contradictions=CONTRADICTIONS)
        make(connection, MAKERS, tmp_path, PIECES[0].path)
        row = {"stage": "ingest", "subject": "/静音.wav", "reason": "silent", "retry": False}
        fail(connection, message=f"{HOSTILE} is silent", **row)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(PROJECT / "dashboard/app.py")]
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(
            [*command, "--server.port", str(port)], cwd=tmp_path, stdout=log, stderr=log
        )
    try:
        await_health(server, f"http://127.0.0.1:{port}/_stcore/health", tmp_path / "log")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(20)


def await_health(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    """Returns when the server answers."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except (URLError, ConnectionError):
            time.sleep(0.05)
    pytest.fail(f"the dashboard did not start:\n{log.read_text()}")


def watched(browser: Browser, size: str, scheme: str, problems: list[str]) -> Page:
    """A page that notes errors on its console, failures, and requests to other machines."""
    width, height = SIZES[size]
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
    page.set_default_timeout(30_000)
    expect.set_options(timeout=30_000)

    def hear(message: ConsoleMessage) -> None:
        where = message.location.get("url", "")
        expected = where.endswith(PROBES) or LEFT_BEHIND in where
        if message.type == "error" and not expected:
            problems.append(f"console: {message.text} {where}")

    def ask(request: Request) -> None:
        if not request.url.startswith(("http://127.0.0.1:", "data:", "blob:")):
            problems.append(f"asked elsewhere: {request.url}")

    page.on("console", hear)
    page.on("pageerror", lambda error: problems.append(f"script: {error}"))
    page.on("request", ask)
    return page


def picture(page: Page, name: str) -> None:
    """Keeps the whole page, not just what fits the window, for people to look at."""
    assert page.evaluate(SIDEWAYS) <= 0, f"{name} scrolls sideways"
    seen = page.viewport_size
    height = page.evaluate("() => document.querySelector('[data-testid=stMain]').scrollHeight")
    page.set_viewport_size({"width": seen["width"], "height": height})
    page.screenshot(path=SCREENSHOTS / f"{name}.png")
    page.set_viewport_size(seen)


def test_pages_work_in_a_browser(address: str, chromium: Browser, fresh_database: Database) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    wanted = link(fresh_database, HOSTILE)
    for size, scheme in (("desktop", "light"), ("phone", "dark"), ("desktop", "dark")):
        problems: list[str] = []
        page = watched(chromium, size, scheme, problems)
        # the server's first visit is a deep link, which has to find the whole dashboard there
        page.goto(f"{address}/retrieval?target={wanted}&k=3")
        bar = page.locator(".st-key-target-bar")
        expect(bar.locator(".mp-title")).to_have_text(HOSTILE)
        expect(page.locator(".mp-readings")).to_have_count(3 * len(MODELS))
        page.wait_for_function(DECODED)
        assert page.evaluate(TOGETHER) == [True, False], "two tracks are heard at once"
        picture(page, f"retrieval-{size}-{scheme}")

        page.get_by_role("combobox").fill("تجر")
        page.keyboard.press("Enter")
        expect(bar.locator(".mp-title")).to_have_text("تجربة")
        page.wait_for_function(DECODED)
        assert link(fresh_database, "تجربة") in page.url
        page.go_back()
        expect(bar.locator(".mp-title")).to_have_text(HOSTILE)
        page.wait_for_function(DECODED)

        page.goto(address)
        expect(page.get_by_role("heading", name="Overview")).to_be_visible()
        expect(page.locator(".stVegaLiteChart svg.marks")).to_have_count(3)
        picture(page, f"overview-{size}-{scheme}")

        page.goto(f"{address}/generation?target={wanted}")
        expect(bar.locator(".mp-title")).to_have_text(HOSTILE)
        expect(page.locator("audio")).to_have_count(1 + len(MODES) * (1 + 2))
        expect(page.locator(".stVegaLiteChart svg.marks")).to_have_count(1 + len(MODELS))
        expect(page.locator(".mp-alert")).to_contain_text("contradicts the measurement")
        page.wait_for_function(DECODED)
        picture(page, f"generation-{size}-{scheme}")

        page.goto(f"{address}/failures")
        with page.expect_download() as download:
            page.get_by_role("button", name="Download these rows").click()
        ledger = Path(download.value.path()).read_bytes()
        assert ledger.startswith(b"\xef\xbb\xbf")
        assert f"{HOSTILE} is silent" in ledger.decode()
        picture(page, f"failures-{size}-{scheme}")
        page.close()
        assert not problems
