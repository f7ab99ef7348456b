"""A Streamlit server on a filled database, and Chromium pages that report errors."""

import os
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from urllib.error import URLError

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

from mirpipe.settings import PROJECT
from tests.support.databases import Database
from tests.support.skip_or_fail import skip_or_fail
from tests.support.waiting import eventually

SCREENSHOTS = PROJECT / "var/screenshots"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SIZES = {"desktop": (1280, 900), "tablet": (1024, 768), "phone": (390, 844)}
FLAGS = (
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--autoplay-policy=no-user-gesture-required",
)
SECONDS = 60
# When a page is opened by its address, Streamlit's script first requests these paths under it.
PROBES = ("/_stcore/health", "/_stcore/host-config")
NETWORK_CHANGED = "net::ERR_NETWORK_CHANGED"
"""Error of the browser when the machine's networks change, as when containers start."""
READY = """() => {
  const app = document.querySelector("[data-testid=stApp]");
  const charts = [...document.querySelectorAll(".stVegaLiteChart")];
  return app?.dataset.testScriptState === "notRunning"
    && !document.querySelector("[data-stale=true], [data-testid=stSkeleton]")
    && charts.every((chart) => chart.querySelector(".marks"));
}"""
SIDEWAYS_SCROLL = (
    "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
)
AXE = files("axe_playwright_python").joinpath("axe.min.js")
# Returns violations with serious or critical impact, and the HTML of the affected elements.
VIOLATIONS = """async () => {
  const result = await axe.run(document, {resultTypes: ["violations"]});
  const html = (rule) => rule.nodes.map((node) => node.html.slice(0, 160)).join(" | ");
  return result.violations
    .filter((rule) => ["serious", "critical"].includes(rule.impact))
    .map((rule) => `${rule.id}: ${html(rule)}`);
}"""

# Returns the levels of headings that do not follow the heading before them, such as "h1 then h3".
SKIPPED_LEVELS = """() => {
  const levels = ["h0", ...[...document.querySelectorAll("h1, h2, h3, h4, h5, h6")]
    .map((heading) => heading.localName)];
  return levels.slice(1)
    .map((level, index) => [levels[index], level])
    .filter(([before, level]) => level[1] - before[1] > 1 || (before !== "h0" && level === "h1"))
    .map((pair) => `headings: ${pair.join(" then ")}`);
}"""


@dataclass(frozen=True)
class Served:
    """The address of a running dashboard, and its database."""

    address: str
    database: Database


@contextmanager
def chromium() -> Iterator[Browser]:
    """Yield the installed Chromium. If Chromium is missing, skip the test, or fail it in CI."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        skip_or_fail("Chromium is missing: run `apt-get install chromium` as root")
    expect.set_options(timeout=SECONDS * 1000)
    root = ("--no-sandbox",) if os.geteuid() == 0 else ()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=[*FLAGS, *root])
        yield browser
        browser.close()


@contextmanager
def running_dashboard(
    folder: Path, *options: str, variables: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Yield the address of a dashboard on the configured database. Its log is in `folder`.

    `options` are added to the command, and `variables` to the environment.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(PROJECT / "dashboard/server.py")]
    # The dashboard does not need the owner's URL.
    environment = {**os.environ, "MIRPIPE_OWNER_URL": "", **(variables or {})}
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            [*command, "--server.port", str(port), *options],
            cwd=folder,
            stdout=log,
            stderr=log,
            env=environment,
        )
    try:
        health = f"http://127.0.0.1:{port}/_stcore/health"
        eventually(lambda: server.poll() is not None or responds(health), seconds=SECONDS)
        assert server.poll() is None, (folder / "log").read_text()
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(20)


@contextmanager
def serve(filled: Database, folder: Path) -> Iterator[Served]:
    """Yield a running dashboard on this database."""
    with running_dashboard(folder) as address:
        yield Served(address, filled)


def responds(url: str) -> bool:
    """Return whether a server answers at the URL."""
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except (URLError, ConnectionError, TimeoutError):
        return False
    return True


@contextmanager
def watched(
    browser: Browser,
    size: str,
    scheme: str,
    *,
    has_touch: bool = False,
    expected: Callable[[str], bool] = lambda _url: False,
) -> Iterator[Page]:
    """Yield a page. Fail if there are console errors, script errors or external requests.

    Console errors about the addresses that are `expected` to fail do not count.
    """
    width, height = SIZES[size]
    page = browser.new_page(
        viewport={"width": width, "height": height}, color_scheme=scheme, has_touch=has_touch
    )
    page.set_default_timeout(SECONDS * 1000)
    problems: list[str] = []

    def record_console_error(message: ConsoleMessage) -> None:
        url = message.location.get("url", "")
        known = url.endswith(PROBES) or expected(url) or NETWORK_CHANGED in message.text
        if message.type == "error" and not known:
            problems.append(f"console: {message.text} {url}")

    def record_external_request(request: Request) -> None:
        if not request.url.startswith(("http://127.0.0.1:", "data:", "blob:")):
            problems.append(f"request to another machine: {request.url}")

    page.on("console", record_console_error)
    page.on("pageerror", lambda error: problems.append(f"script: {error}"))
    page.on("request", record_external_request)
    yield page
    page.close()
    assert not problems, problems


def wait_until_drawn(page: Page) -> None:
    """Wait until the server has sent the complete page and the browser has drawn its charts."""
    page.wait_for_function(READY)


def open_from_menu(page: Page, section: str, title: str) -> None:
    """Open a page by its link in a section of the menu."""
    page.get_by_test_id("stTopNavSection").get_by_text(section, exact=True).click()
    page.get_by_test_id("stTopNavDropdownLink").get_by_text(title, exact=True).click()


def save_screenshot(page: Page, name: str) -> None:
    """Save a screenshot of the complete page. Fail if the page scrolls sideways."""
    assert page.evaluate(SIDEWAYS_SCROLL) <= 0, f"{name} scrolls sideways"
    size = page.viewport_size
    assert size is not None
    height = page.evaluate("() => document.querySelector('[data-testid=stMain]').scrollHeight")
    page.set_viewport_size({"width": size["width"], "height": height})
    wait_until_drawn(page)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png")
    page.set_viewport_size(size)


def accessibility_violations(page: Page) -> list[str]:
    """Return the serious and critical violations that axe finds, and skipped heading levels."""
    page.add_script_tag(content=AXE.read_text(encoding="utf-8"))
    violations: list[str] = page.evaluate(VIOLATIONS) + page.evaluate(SKIPPED_LEVELS)
    return violations
