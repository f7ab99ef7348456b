"""Tests of every dashboard page in Chromium, in desktop and phone size."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, WebSocket, expect

from dashboard.menu import OUTSIDE_THE_MENU, SECTIONS
from mirpipe.db.queries.listening_tests import listening_test
from mirpipe.generation.modes import MODES
from mirpipe.listening.create_links import create_tokens
from mirpipe.listening.create_test import ListeningOptions, create_test
from mirpipe.listening.stored_results import compute_results
from mirpipe.postgres.embedded import EmbeddedPostgres
from mirpipe.published.load_tables import load
from tests.dashboard import browser
from tests.dashboard.browser import (
    Served,
    accessibility_violations,
    open_from_menu,
    save_screenshot,
    wait_until_drawn,
    watched,
)
from tests.dashboard.example_clips import UNGUIDED, Maker, describe, make
from tests.dashboard.example_library import fail, fill, rate, write_gate
from tests.dashboard.example_maps import write_maps, write_waveforms
from tests.dashboard.example_rankings import write_earlier_run, write_rankings
from tests.dashboard.open_page import HOSTILE, MODELS, PIECES, link
from tests.listening.voters import vote_all
from tests.support.databases import Database, database

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MAKERS = (
    Maker("resynth", UNGUIDED, licence_weights="none"),
    Maker("musicgen", seeds=2, is_random=True),
)
CONTRADICTIONS = ("tempo: says 90 BPM, measured 120.4", "key: says C major, measured A minor")
FINDING = (
    "INSERT INTO mirpipe.finding SELECT track_id, 0, 'bandwidth', 'info', 12.3, 'There is nothing "
    "above 4.2 kHz, although the sample rate is 32 kHz.' FROM mirpipe.track WHERE title = 'apple'"
)
PAGES = {
    "overview": "Overview",
    "retrieval": "Retrieval",
    "generation": "Generation",
    "listen": "Listen",
    "search": "Search",
    "tracks": "Tracks",
    "track": HOSTILE,
    "map": "Map",
    "hubs": "Hubs and agreement",
    "listening": "Listening tests",
    "history": "History",
    "trends": "History",
    "gates": "History",
    "published": "History",
    "sql": "SQL",
    "quality": "Quality",
    "failures": "Failures",
    "glossary": "Glossary",
}
ADDRESSES = {
    "overview": "",
    "sql": "sql?sql=SELECT+*+FROM+v_retrieval",
    "search": "search?q=ogg",
    "listen": "listen?k=1",
    "trends": "history?part=trends",
    "gates": "history?part=gates",
    "published": "history?part=published",
}
"""Addresses of pages that are opened with query parameters, which show more of the page."""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser.chromium() as started:
        yield started


@pytest.fixture(scope="module")
def served(
    embedded: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """Yield a dashboard with a library that has results for every page."""
    folder = tmp_path_factory.mktemp("dashboard")
    with database(embedded, "browsed") as filled:
        with filled.owner.begin() as connection:
            fill(connection, PIECES, MODELS)
            describe(connection, caption="静かな曲, at 90 BPM.", contradictions=CONTRADICTIONS)
            make(connection, MAKERS, folder, PIECES[0].path)
            rate(connection, "apple", 7.25, 6.5, 5.75, 8.125)
            write_waveforms(connection)
            write_maps(connection)
            write_rankings(connection)
            write_earlier_run(connection)
            write_gate(connection)
            connection.exec_driver_sql(FINDING)
            row = {"stage": "ingest", "subject": "/静音.wav", "reason": "silent", "retry": False}
            fail(connection, message=f"{HOSTILE} is silent", **row)
        load()
        vote_on_clips(filled)
        with browser.serve(filled, folder) as dashboard:
            yield dashboard


def vote_on_clips(filled: Database) -> None:
    """Make a listening test of clips, and let six simulated people vote."""
    options = ListeningOptions("clips", ["resynth simple", "musicgen simple 3"], questions=4)
    test = create_test("which clip?", None, options, seed=1)
    for number, token in enumerate(create_tokens(test, 6)):
        strengths = {"resynth simple": 1.0, "musicgen simple 3": 0.0}
        vote_all(filled, token, strengths, seed=number)
    compute_results(listening_test("which clip?"))


def open_page(page: Page, served: Served, name: str) -> None:
    """Open a page by its address, like a link, and wait until the page is drawn."""
    address = ADDRESSES.get(name, name)
    if name == "track":
        address = f"track?track={link(served.database, HOSTILE)}"
    page.goto(f"{served.address}/{address}")
    expect(page.get_by_role("heading", name=PAGES[name], level=1, exact=True)).to_be_visible()
    wait_until_drawn(page)


@pytest.mark.parametrize("size", ["desktop", "tablet"])
def test_every_page_has_a_visible_section_in_the_menu(
    served: Served, chromium: Browser, size: str
) -> None:
    with watched(chromium, size, "light") as page:
        open_page(page, served, "glossary")
        named = [section for section in SECTIONS if section]
        expect(page.get_by_test_id("stTopNavSection")).to_have_text([re.compile(s) for s in named])
        for section in named:
            for name, title, _ in SECTIONS[section]:
                if name not in OUTSIDE_THE_MENU:
                    open_from_menu(page, section, title)
                    expect(page).to_have_url(re.compile(f"/{name}([?]|$)"))
                    heading = page.get_by_role("heading", name=title, level=1, exact=True)
                    expect(heading).to_be_visible()
        page.get_by_test_id("stTopNavLink").get_by_text("Overview").click()
        expect(page.get_by_role("heading", name="Overview", level=1)).to_be_visible()


@pytest.mark.parametrize(
    ("size", "scheme"), [("desktop", "light"), ("tablet", "dark"), ("phone", "dark")]
)
def test_every_page_is_complete_and_accessible(
    served: Served, chromium: Browser, size: str, scheme: str
) -> None:
    violations = {}
    with watched(chromium, size, scheme) as page:
        for name in PAGES:
            open_page(page, served, name)
            save_screenshot(page, f"{name}-{size}-{scheme}")
            violations[name] = accessibility_violations(page)
    assert {name: lines for name, lines in violations.items() if lines} == {}


def test_ctrl_enter_runs_the_query_of_a_link(served: Served, chromium: Browser) -> None:
    with watched(chromium, "desktop", "light") as page:
        open_page(page, served, "sql")
        expect(page.get_by_text("Then press Run")).to_be_visible()
        expect(page.locator("[data-testid=stDataFrame]")).to_have_count(0)
        page.get_by_label("SQL query").press("Control+Enter")
        expect(page.locator("[data-testid=stDataFrame]")).to_be_visible()
        expect(page).to_have_url(re.compile(r"sql=SELECT"))


def test_the_first_column_stays_in_view_on_a_phone(served: Served, chromium: Browser) -> None:
    """On History, the means are also in the column that is in view."""
    left = "element => element.getBoundingClientRect().left"
    with watched(chromium, "phone", "light") as page:
        open_page(page, served, "history")
        region = page.get_by_role("region", name="Retrieval then and now")
        name = region.locator("tbody td").first
        before = name.evaluate(left)
        expect(region.get_by_text("then ", exact=False).first).to_be_visible()
        region.evaluate("region => region.scrollBy(200, 0)")
        assert region.evaluate("region => region.scrollLeft") > 20
        assert name.evaluate(left) == before


def test_a_phone_shows_each_track_with_its_finding(served: Served, chromium: Browser) -> None:
    with watched(chromium, "phone", "light") as page:
        open_page(page, served, "quality")
        region = page.get_by_role("region", name="Findings")
        box = region.locator("tbody td").nth(1).bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= 390, "the finding is out of view"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_keyboard_focus_is_framed(served: Served, chromium: Browser, scheme: str) -> None:
    """Streamlit frames some links not at all, and its frame of the menu is hardly visible."""
    focused = """() => {
      const element = document.activeElement, style = getComputedStyle(element);
      return [element.localName, element.innerText, style.outlineStyle, style.outlineWidth];
    }"""
    names, unframed = [], []
    with watched(chromium, "desktop", scheme) as page:
        open_page(page, served, "overview")
        for _ in range(20):
            page.keyboard.press("Tab")
            kind, name, *outline = page.evaluate(focused)
            if kind in ("a", "button"):
                names.append(name.split("\n")[-1])
                if outline != ["solid", "3px"]:
                    unframed.append(name)
    assert {"Overview", "Results", "What earlier runs changed", "Growth (CSV)"} <= set(names)
    assert unframed == []


def test_the_keyboard_focus_follows_a_link_to_the_title_of_the_new_page(
    served: Served, chromium: Browser
) -> None:
    with watched(chromium, "desktop", "light") as page:
        open_page(page, served, "glossary")
        page.get_by_test_id("stTopNavSection").filter(has_text="Music").press("Enter")
        page.get_by_test_id("stTopNavDropdownLink").filter(has_text="Tracks").press("Enter")
        expect(page.get_by_role("heading", name="Tracks", level=1)).to_be_focused()
        wait_until_drawn(page)
        page.keyboard.press("Tab")
        expect(page.get_by_label(re.compile("^Search title"))).to_be_focused()
        page.get_by_role("link", name="تجربة", exact=True).press("Enter")
        expect(page.locator("h1").filter(has_text="تجربة")).to_be_focused()


def test_a_target_has_buttons_for_its_matches_and_clips(served: Served, chromium: Browser) -> None:
    target_link = link(served.database, HOSTILE)
    with watched(chromium, "desktop", "light") as page:
        page.goto(f"{served.address}/listen?target={target_link}&k=10")
        bar = page.locator(".st-key-target-bar")
        expect(bar.locator(".mp-title")).to_have_text(HOSTILE)
        clips = len(MODES) * (1 + 2)
        expect(page.locator(".mp-play")).to_have_count(1 + 4 + clips)
        expect(page.locator(".mp-wave").first).to_be_visible()
        page.locator(".mp-details summary").first.click()
        expect(page.locator(".mp-details li").first).to_be_visible()


def test_the_address_holds_the_choice_and_back_undoes_it(served: Served, chromium: Browser) -> None:
    target_link = link(served.database, HOSTILE)
    with watched(chromium, "desktop", "dark") as page:
        page.goto(f"{served.address}/listen?target={target_link}&k=1")
        bar = page.locator(".st-key-target-bar")
        expect(bar.locator(".mp-title")).to_have_text(HOSTILE)
        page.get_by_role("combobox").first.fill("تجر")
        page.keyboard.press("Enter")
        expect(bar.locator(".mp-title")).to_have_text("تجربة")
        assert link(served.database, "تجربة") in page.url
        page.go_back()
        expect(bar.locator(".mp-title")).to_have_text(HOSTILE)


def test_a_click_on_the_map_shows_a_player(served: Served, chromium: Browser) -> None:
    with watched(chromium, "desktop", "light") as page:
        open_page(page, served, "map")
        page.locator(".stVegaLiteChart svg .mark-symbol.role-mark path").first.click(force=True)
        expect(page.locator(".mp-play, .mp-remark").first).to_be_visible()
        expect(page).to_have_url(re.compile("track="))


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_a_unit_has_the_same_number_of_pixels_on_both_axes_of_the_map(
    served: Served, chromium: Browser, size: str
) -> None:
    with served.database.owner.connect() as connection:
        units_x, units_y = connection.exec_driver_sql(
            "SELECT max(x) - min(x), max(y) - min(y) FROM mirpipe.map_point "
            "JOIN mirpipe.encoder USING (encoder_id) WHERE name = 'musicnn'"
        ).one()
    with watched(chromium, size, "light") as page:
        page.goto(f"{served.address}/map?encoder=musicnn")
        expect(page.get_by_role("heading", name="Map", level=1)).to_be_visible()
        wait_until_drawn(page)
        dots = page.locator(".stVegaLiteChart svg .mark-symbol.role-mark path").evaluate_all(
            "paths => paths.map(path => path.transform.baseVal.consolidate().matrix)"
            ".map(matrix => [matrix.e, matrix.f])"
        )
    pixels_x, pixels_y = (max(axis) - min(axis) for axis in zip(*dots, strict=True))
    assert pixels_x / units_x == pytest.approx(pixels_y / units_y, rel=0.01)


def test_names_of_tracks_open_their_page_in_the_same_session(
    served: Served, chromium: Browser
) -> None:
    title = ".mp-large-title"
    with watched(chromium, "desktop", "light") as page:
        sessions: list[WebSocket] = []
        page.on("websocket", lambda session: sessions.append(session))
        open_page(page, served, "tracks")
        expect(page).to_have_title("Tracks · mirpipe")
        page.get_by_role("link", name="康定情歌（古筝）").click()
        expect(page.locator(title)).to_have_text("康定情歌（古筝）")
        expect(page).to_have_title("康定情歌（古筝） · mirpipe")
        expect(page).to_have_url(re.compile(r"/track\?track=\w{16}&in=reference$"))
        target = page.get_by_role("link", name="تجربة").first
        target.focus()
        target.press("Enter")
        expect(page.locator(title)).to_have_text("تجربة")
        page.go_back()
        expect(page.locator(title)).to_have_text("康定情歌（古筝）")
        open_from_menu(page, "Results", "Retrieval")
        expect(page).to_have_title("Retrieval · mirpipe")
        wait_until_drawn(page)
        page.locator(".stVegaLiteChart svg .mark-rect.role-mark path").first.click(force=True)
        expect(page.locator(title)).to_be_visible()
        assert len(sessions) == 1, "the page was loaded again"


def test_tables_are_downloaded_for_spreadsheets(served: Served, chromium: Browser) -> None:
    with watched(chromium, "desktop", "light") as page:
        open_page(page, served, "failures")
        with page.expect_download() as download:
            page.get_by_role("button", name="Failures (CSV)").click()
        ledger = Path(download.value.path()).read_bytes()
        assert ledger.startswith(b"\xef\xbb\xbf")
        assert f"{HOSTILE} is silent" in ledger.decode()
