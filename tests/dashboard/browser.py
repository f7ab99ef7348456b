"""A real Streamlit server over one filled database, and pages of a real Chromium that watch it."""

import os
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from urllib.error import URLError

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

from mirpipe.settings import PROJECT
from tests.support.databases import Database
from tests.support.skip_or_fail import lacks
from tests.support.waiting import eventually

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
SECONDS = 60
# Opened at a page's address, Streamlit's own script looks for its server below that address first.
PROBES = ("/_stcore/health", "/_stcore/host-config")
# A player on its way out may ask for a file that the server has let go.
LEFT_BEHIND = "/media/"
READY = """() => {
  const app = document.querySelector("[data-testid=stApp]");
  const charts = [...document.querySelectorAll(".stVegaLiteChart")];
  return app?.dataset.testScriptState === "notRunning"
    && !document.querySelector("[data-stale=true], [data-testid=stSkeleton]")
    && charts.every((one) => one.querySelector(".marks"));
}"""
SIDEWAYS = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
AXE = files("axe_playwright_python").joinpath("axe.min.js")
# What Streamlit's own frame does is not ours to mend, and no reader meets it as text.
FINDINGS = """async () => {
  const found = await axe.run(document, {resultTypes: ["violations"]});
  return found.violations
    .filter((one) => ["serious", "critical"].includes(one.impact))
    .map((one) => `${one.id}: ${one.nodes.map((node) => node.html.slice(0, 160)).join(" | ")}`);
}"""


@dataclass(frozen=True)
class Served:
    """A dashboard that answers, and its database."""

    address: str
    database: Database


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's browser; where it is missing, a skip, and in CI a failure."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        lacks("Chromium is missing: run `apt-get install chromium` as root")
    root = ("--no-sandbox",) if os.geteuid() == 0 else ()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=[*FLAGS, *root])
        yield browser
        browser.close()


@contextmanager
def serve(filled: Database, folder: Path) -> Iterator[Served]:
    """The dashboard over a database, on a port of its own, started from another folder."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(PROJECT / "dashboard/app.py")]
    environment = {**os.environ, "MIRPIPE_OWNER_URL": ""}  # it must not need the owner
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            [*command, "--server.port", str(port)],
            cwd=folder,
            stdout=log,
            stderr=log,
            env=environment,
        )
    try:
        health = f"http://127.0.0.1:{port}/_stcore/health"
        eventually(lambda: server.poll() is not None or _answers(health), seconds=SECONDS)
        assert server.poll() is None, (folder / "log").read_text()
        yield Served(f"http://127.0.0.1:{port}", filled)
    finally:
        server.terminate()
        server.wait(20)


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except (URLError, ConnectionError):
        return False
    return True


@contextmanager
def watched(browser: Browser, size: str, scheme: str) -> Iterator[Page]:
    """A page; errors on its console, failures and requests to other machines fail the test."""
    width, height = SIZES[size]
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
    page.set_default_timeout(SECONDS * 1000)
    expect.set_options(timeout=SECONDS * 1000)
    problems: list[str] = []

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
    yield page
    page.close()
    assert not problems


def settled(page: Page) -> None:
    """Returns when the server has drawn all, and the browser its charts."""
    page.wait_for_function(READY)


def picture(page: Page, name: str) -> None:
    """Keeps the whole page, not just what fits the window, for people to look at."""
    assert page.evaluate(SIDEWAYS) <= 0, f"{name} scrolls sideways"
    seen = page.viewport_size
    assert seen is not None
    height = page.evaluate("() => document.querySelector('[data-testid=stMain]').scrollHeight")
    page.set_viewport_size({"width": seen["width"], "height": height})
    settled(page)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png")
    page.set_viewport_size(seen)


def findings(page: Page) -> list[str]:
    """What axe holds against the page and calls serious or critical."""
    page.add_script_tag(content=AXE.read_text(encoding="utf-8"))
    found: list[str] = page.evaluate(FINDINGS)
    return found
