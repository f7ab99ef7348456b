"""The dashboard as a person meets it: every page in a real Chromium, on a desk and on a phone."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from mirpipe.generation.modes import MODES
from mirpipe.postgres.embedded import EmbeddedPostgres
from mirpipe.published.load_tables import load
from tests.dashboard import browser
from tests.dashboard.browser import Served, findings, picture, settled, watched
from tests.dashboard.clips import UNGUIDED, Maker, describe, make
from tests.dashboard.drawn import maps, outlines
from tests.dashboard.filled import fail, fill, rate
from tests.dashboard.pages import HOSTILE, MODELS, PIECES, link
from tests.dashboard.ranked import earlier, rank
from tests.support.databases import database

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MAKERS = (
    Maker("resynth", UNGUIDED, licence_weights="none"),
    Maker("musicgen", seeds=2, checkpoint="random, seed 0"),
)
CONTRADICTIONS = ("tempo: says 90 BPM, measured 120.4", "key: says C major, measured A minor")
PAGES = {
    "overview": "Overview",
    "retrieval": "Retrieval",
    "generation": "Generation",
    "listen": "Listen",
    "search": "Search",
    "map": "Map",
    "hubs": "Hubs and agreement",
    "history": "History",
    "trends": "History",
    "published": "History",
    "sql": "SQL",
    "failures": "Failures",
}
ASKED = {
    "overview": "",
    "sql": "sql?sql=SELECT+*+FROM+v_retrieval",
    "search": "search?by=audio",
    "listen": "listen?k=1",
    "trends": "history?part=trends",
    "published": "history?part=published",
}
"""Addresses of parts of a page, and of states in which one shows more than without."""
DECODED = """() => {
  const all = [...document.querySelectorAll("audio")];
  return all.length && all.every((one) => one.readyState >= 1 && one.duration > 0);
}"""
TOGETHER = """async () => {
  const [first, second] = document.querySelectorAll("audio");
  for (const one of [first, second]) { one.muted = true; await one.play(); }
  return [first.paused, second.paused];
}"""
VOLUMES = "() => [...document.querySelectorAll('audio')].map((one) => one.volume)"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser.chromium() as started:
        yield started


@pytest.fixture(scope="module")
def served(
    embedded: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """One dashboard over one library that has something for every page."""
    folder = tmp_path_factory.mktemp("dashboard")
    with database(embedded, "browsed") as filled:
        with filled.owner.begin() as connection:
            fill(connection, PIECES, MODELS)
            describe(connection, caption="静かな曲, at 90 BPM.", contradictions=CONTRADICTIONS)
            make(connection, MAKERS, folder, PIECES[0].path)
            rate(connection, "apple", 7.25, 6.5, 5.75, 8.125)
            outlines(connection)
            maps(connection)
            rank(connection)
            earlier(connection)
            row = {"stage": "ingest", "subject": "/静音.wav", "reason": "silent", "retry": False}
            fail(connection, message=f"{HOSTILE} is silent", **row)
        load()
        with browser.serve(filled, folder) as dashboard:
            yield dashboard


def opened(page: Page, served: Served, name: str) -> None:
    """Goes to a page by its address, as a link does, and waits until it is drawn."""
    page.goto(f"{served.address}/{ASKED.get(name, name)}")
    expect(page.get_by_role("heading", name=PAGES[name], level=1)).to_be_visible()
    settled(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_every_page_is_drawn_whole_and_without_a_finding(
    served: Served, chromium: Browser, size: str, scheme: str
) -> None:
    found = {}
    with watched(chromium, size, scheme) as page:
        for name in PAGES:
            opened(page, served, name)
            picture(page, f"{name}-{size}-{scheme}")
            if (size, scheme) in (("desktop", "light"), ("phone", "dark")):
                found[name] = findings(page)
    assert {name: said for name, said in found.items() if said} == {}


def test_tracks_are_heard_one_at_a_time_and_at_one_level(served: Served, chromium: Browser) -> None:
    wanted = link(served.database, HOSTILE)
    with watched(chromium, "desktop", "light") as page:
        page.goto(f"{served.address}/listen?target={wanted}&k=3")
        bar = page.locator(".st-key-target-bar")
        expect(bar.locator(".mp-title")).to_have_text(HOSTILE)
        clips = len(MODES) * (1 + 2)
        expect(page.locator("audio")).to_have_count(1 + 2 * len(MODELS) + clips)
        page.wait_for_function(DECODED)
        assert page.evaluate(TOGETHER) == [True, False], "two tracks are heard at once"
        expect(page.locator(".mp-wave").first).to_be_visible()
        page.locator(".mp-why summary").first.click()
        expect(page.locator(".mp-why li").first).to_be_visible()


def test_louder_tracks_are_turned_down(served: Served, chromium: Browser) -> None:
    with served.database.owner.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE mirpipe.track SET rms_dbfs = -24 WHERE title = '康定情歌（古筝）'"
        )
    with watched(chromium, "desktop", "light") as page:
        wanted = link(served.database, HOSTILE)
        page.goto(f"{served.address}/listen?target={wanted}&k=10&show=answers")
        page.wait_for_function(DECODED)
        volumes = sorted({round(one, 3) for one in page.evaluate(VOLUMES)})
        assert volumes == [0.501, 1.0]


def test_the_address_follows_the_choice_and_back_undoes_it(
    served: Served, chromium: Browser
) -> None:
    wanted = link(served.database, HOSTILE)
    with watched(chromium, "desktop", "dark") as page:
        page.goto(f"{served.address}/listen?target={wanted}&k=1")
        bar = page.locator(".st-key-target-bar")
        expect(bar.locator(".mp-title")).to_have_text(HOSTILE)
        page.get_by_role("combobox").fill("تجر")
        page.keyboard.press("Enter")
        expect(bar.locator(".mp-title")).to_have_text("تجربة")
        assert link(served.database, "تجربة") in page.url
        page.go_back()
        expect(bar.locator(".mp-title")).to_have_text(HOSTILE)


def test_a_click_on_the_map_is_heard(served: Served, chromium: Browser) -> None:
    with watched(chromium, "desktop", "light") as page:
        opened(page, served, "map")
        page.locator(".stVegaLiteChart svg .mark-symbol.role-mark path").first.click(force=True)
        expect(page.locator("audio, .mp-note").first).to_be_visible()
        expect(page).to_have_url(re.compile("track="))


def test_tables_are_downloaded_as_a_spreadsheet_reads_them(
    served: Served, chromium: Browser
) -> None:
    with watched(chromium, "desktop", "light") as page:
        opened(page, served, "failures")
        with page.expect_download() as download:
            page.get_by_role("button", name="Failures (CSV)").click()
        ledger = Path(download.value.path()).read_bytes()
        assert ledger.startswith(b"\xef\xbb\xbf")
        assert f"{HOSTILE} is silent" in ledger.decode()
