"""Takes the screenshots in docs/images with the demo library, with real results on every page.

The program uses the home folder MIRPIPE_HOME, which must be empty or come from an earlier call. The
library grows between two runs and contains an unusable file, so that the pages for history and
failures are not empty.
"""

import io
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page

from mirpipe.db.engine import engine
from mirpipe.db.queries.listening_tests import listening_test
from mirpipe.listening.create_links import create_tokens
from mirpipe.listening.create_test import ListeningOptions, create_test
from mirpipe.listening.stored_results import compute_results
from mirpipe.settings import PROJECT
from tests.dashboard.browser import chromium, running_dashboard, wait_until_drawn
from tests.listening.voters import Engines, vote_all

IMAGES = PROJECT / "docs/images"
LIBRARY = Path(tempfile.gettempdir()) / "mirpipe-screenshots"
"""Folder of the library. Its path is shown on the page Failures."""
WIDTH = 1280
ADDED_LATER = ("reference/*笛子*.ogg", "reference/*fiddle*.ogg")
"""Demo files that the second run adds."""
UPLOADED = "target/茉莉花（笛子）.ogg"
LISTENERS = 12
STRENGTHS = {"resynth medium": 0.9, "resynth strong": 0.7, "resynth simple": 0.0}
"""Strengths by which simulated listeners choose, and how many listeners there are."""
MATCHES = 5
"""Matches on the page Search."""
LISTENED_TO = "小白菜（二胡）"
PICTURES = {
    "overview": ("", 1320),
    "retrieval": ("retrieval", 1700),
    "generation": ("generation", 1700),
    "listen": ("listen?k=1", 1900),
    "search": ("search", 1380),
    "tracks": ("tracks", 1300),
    "track": (f"tracks?collection=reference&search={LISTENED_TO}", 1500),
    "map": ("map", 1000),
    "hubs": ("hubs", 1700),
    "listening": ("listening", 1700),
    "history": ("history", 1400),
    "sql": ("sql?sql=SELECT+*+FROM+v_retrieval", 1000),
    "failures": ("failures", 680),
    "quality": ("quality", 900),
    "glossary": ("glossary", 900),
}
"""Address and maximum height in pixels for each screenshot."""


def fill_home(library: Path) -> None:
    """Run all stages on the demo library twice: the second run adds files."""
    shutil.copytree(PROJECT / "demo", library)
    later = [path for pattern in ADDED_LATER for path in library.glob(pattern)]
    for path in later:
        path.rename(path.with_name(f".{path.name}"))
    _mirpipe("db", "up")
    _run_stages(library)
    for path in later:
        path.with_name(f".{path.name}").rename(path)
    whole = (PROJECT / "demo" / UPLOADED).read_bytes()
    (library / "reference/unfinished download.ogg").write_bytes(whole[:2000])
    (library / "reference/notes.mp3").write_text("Not audio.\n")
    _run_stages(library)
    simulate_listeners()


def simulate_listeners() -> None:
    """Make a listening test of the latest run, with the votes of simulated listeners."""
    test = create_test("simulated votes", None, ListeningOptions("clips"), seed=1)
    for seed, token in enumerate(create_tokens(test, LISTENERS)):
        vote_all(Engines(engine("app"), engine("listener")), token, STRENGTHS, seed=seed)
    compute_results(listening_test(test.name))


def _run_stages(library: Path) -> None:
    for collection in ("reference", "target"):
        manifest = ("--manifest", str(library / "manifest.csv"))
        _mirpipe("ingest", str(library / collection), "--collection", collection, *manifest)
    _mirpipe("run")
    _mirpipe("generate")
    _mirpipe("run")


def _mirpipe(*arguments: str) -> None:
    """Run a command. Exit code 3 means that the command rejected unusable files."""
    print("mirpipe", *arguments)
    done = subprocess.run(
        [Path(sys.executable).with_name("mirpipe"), *arguments], stdout=subprocess.DEVNULL
    )
    if done.returncode not in (0, 3):
        raise SystemExit(f"mirpipe {arguments[0]} ended with exit code {done.returncode}")


def take(page: Page, address: str, name: str) -> None:
    """Open a page and save a screenshot with 256 colours, cut at the maximum height."""
    path, max_height = PICTURES[name]
    page.set_viewport_size({"width": WIDTH, "height": 900})
    page.goto(f"{address}/{path}")
    wait_until_drawn(page)
    if name == "listen":
        page.get_by_role("combobox").first.fill(LISTENED_TO)
        page.keyboard.press("Enter")
        page.locator(".st-key-target-bar").get_by_text(LISTENED_TO).wait_for()
        page.get_by_role("checkbox", name="Keys", disabled=False).wait_for()
        page.locator(".st-key-target-bar .mp-play").click()
        page.get_by_role("button", name="Pause", exact=True).click()
        page.get_by_role("slider", name="Position in seconds").press("Home")
    if name == "track":
        page.get_by_role("link", name=LISTENED_TO).click()
        page.get_by_role("heading", name=LISTENED_TO, level=1, exact=True).wait_for()
    if name == "sql":
        page.get_by_role("button", name="Run").click()
        page.locator("[data-testid=stDataFrame]").wait_for()
    if name == "search":
        page.locator("input[type=file]").set_input_files(PROJECT / "demo" / UPLOADED)
        page.locator(".mp-play").nth(MATCHES - 1).wait_for()
    wait_until_drawn(page)
    height = page.evaluate("() => document.querySelector('[data-testid=stMain]').scrollHeight")
    page.set_viewport_size({"width": WIDTH, "height": min(height, max_height)})
    wait_until_drawn(page)
    with Image.open(io.BytesIO(page.screenshot())) as picture:
        picture.convert("RGB").quantize(256).save(IMAGES / f"{name}.png", optimize=True)
    print("saved", IMAGES / f"{name}.png")


def main() -> None:
    if not os.environ.get("MIRPIPE_HOME"):
        raise SystemExit("Set MIRPIPE_HOME to a folder that only this program uses.")
    shutil.rmtree(LIBRARY, ignore_errors=True)
    fill_home(LIBRARY)
    with (
        tempfile.TemporaryDirectory() as folder,
        running_dashboard(Path(folder)) as address,
        chromium() as browser,
    ):
        page = browser.new_page(color_scheme="light")
        page.set_default_timeout(60_000)
        for name in PICTURES:
            take(page, address, name)
    shutil.rmtree(LIBRARY)
    _mirpipe("db", "down")


if __name__ == "__main__":
    main()
