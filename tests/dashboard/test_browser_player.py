"""The player at the bottom of the page, in Chromium: playing, seeking, A/B, keys and themes."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from tempfile import gettempdir

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from mirpipe.postgres.embedded import EmbeddedPostgres
from tests.dashboard import browser
from tests.dashboard.browser import Served, accessibility_violations, watched
from tests.dashboard.example_clips import Maker, describe, make
from tests.dashboard.example_library import Piece, fill
from tests.dashboard.example_maps import write_waveforms
from tests.dashboard.open_page import HOSTILE, MODELS, PIECES, link
from tests.support.audio_files import tone
from tests.support.databases import database
from tests.support.waiting import eventually

pytestmark = [pytest.mark.browser, pytest.mark.slow]

AUDIO = "document.querySelector('.mp-player-audio')"
IS_PLAYING = f"() => !{AUDIO}.paused && {AUDIO}.currentTime > 0"
IS_PAUSED = f"() => {AUDIO}.paused"
NO_FOCUS = "() => document.activeElement.blur()"
KEEP_SOCKETS = """
window.sockets = [];
window.WebSocket = class extends WebSocket {
  constructor(...given) { super(...given); window.sockets.push(this); }
};
"""
SECONDS = 15
"""Length of the target and of its matches."""
LONG, LONG_SECONDS, CLIP_SECONDS = "long", 60, 30
"""A target that is longer than a clip, its length, and the length of a clip."""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser.chromium() as started:
        yield started


@pytest.fixture(scope="module")
def served(
    embedded: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """Yield a dashboard with a target that has matches and clips."""
    folder = tmp_path_factory.mktemp("player")
    with database(embedded, "player") as filled:
        with filled.owner.begin() as connection:
            path = tone(folder / "long.wav", 440, seconds=LONG_SECONDS)
            long = Piece("target", LONG, path, format="WAV", seconds=LONG_SECONDS)
            fill(connection, (*PIECES, long), MODELS)
            describe(connection, caption="calm")
            make(connection, [Maker("musicgen")], folder, PIECES[0].path)
            write_waveforms(connection)
            connection.exec_driver_sql(
                "UPDATE mirpipe.track SET rms_dbfs = -24 WHERE title = '康定情歌（古筝）'"
            )
        with browser.serve(filled, folder) as dashboard:
            yield dashboard


def open_listen(page: Page, served: Served, target: str = HOSTILE, **query: str) -> None:
    address = f"{served.address}/listen?target={link(served.database, target)}&k=10"
    page.goto(address + "".join(f"&{name}={value}" for name, value in query.items()))
    expect(page.locator(".mp-play").first).to_be_visible()
    browser.wait_until_drawn(page)
    expect(page.get_by_role("checkbox", name="Keys")).to_be_enabled()


def wait_until_at(page: Page, seconds: float) -> None:
    """Wait until the audio can be played at this position, and at most a second after it."""
    page.wait_for_function(
        f"(at) => {AUDIO}.readyState >= 2 && !{AUDIO}.seeking"
        f" && {AUDIO}.currentTime > at - 0.2 && {AUDIO}.currentTime < at + 1",
        arg=seconds,
    )


def volume(page: Page) -> float:
    return round(float(page.evaluate(f"{AUDIO}.volume")), 3)


def title(page: Page) -> Locator:
    return page.locator(".mp-player-title")


def control(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name="Player").get_by_role("button", name=name)


def pause_at(page: Page, seconds: float) -> None:
    page.evaluate(f"(at) => {{ {AUDIO}.pause(); {AUDIO}.currentTime = at; }}", seconds)
    wait_until_at(page, seconds)


def test_a_button_plays_its_track_and_pauses_it(served: Served, chromium: Browser) -> None:
    requested: list[str] = []
    with watched(chromium, "desktop", "light") as page:
        page.on("request", lambda request: requested.append(request.url))
        open_listen(page, served)
        assert not [url for url in requested if "/audio/" in url], (
            "audio was loaded without a click"
        )
        play = page.get_by_role("button", name="Play Match: drums")
        pause = page.get_by_role("button", name="Pause Match: drums")
        play.click()
        page.wait_for_function(IS_PLAYING)
        expect(title(page)).to_have_text("Match: drums")
        assert len({url for url in requested if "/audio/" in url}) == 1
        expect(play).to_have_count(0)
        expect(pause).to_have_text("❚❚ Pause")
        expect(page.locator(".mp-play", has_text="Pause")).to_have_count(1)
        pause.click()
        page.wait_for_function(IS_PAUSED)
        expect(play).to_have_text("▶ Play")
        control(page, "Play").click()
        page.wait_for_function(IS_PLAYING)
        control(page, "Pause").click()
        page.wait_for_function(IS_PAUSED)
        play.click()
        page.evaluate(f"{AUDIO}.currentTime = {AUDIO}.duration - 0.1")
        page.wait_for_function(f"() => {AUDIO}.ended")
        expect(play).to_have_text("▶ Play")
        expect(pause).to_have_count(0)


def test_the_page_of_a_track_pauses_the_match_that_plays_it(
    served: Served, chromium: Browser
) -> None:
    with watched(chromium, "desktop", "light") as page:
        open_listen(page, served)
        page.get_by_role("button", name="Play Match: drums").click()
        page.wait_for_function(IS_PLAYING)
        page.get_by_role("link", name="drums", exact=True).first.click()
        expect(page.get_by_role("heading", name="drums", level=1)).to_be_visible()
        browser.wait_until_drawn(page)
        pause = page.get_by_role("button", name="Pause drums", exact=True)
        pause.click()
        page.wait_for_function(IS_PAUSED)
        expect(pause).to_have_count(0)
        assert page.evaluate(f"{AUDIO}.currentTime") > 0
        page.get_by_role("button", name="Play drums", exact=True).click()
        page.wait_for_function(IS_PLAYING)


def test_a_click_on_the_outline_and_the_arrow_keys_seek(served: Served, chromium: Browser) -> None:
    with watched(chromium, "desktop", "light") as page:
        open_listen(page, served)
        page.get_by_role("button", name="Play Match: drums").click()
        page.wait_for_function(IS_PLAYING)
        page.locator(".mp-player-wave").click()
        wait_until_at(page, SECONDS / 2)
        pause_at(page, 4)
        slider = page.get_by_role("slider", name="Position in seconds")
        slider.press("ArrowRight")
        wait_until_at(page, 9)
        expect(slider).to_have_attribute("aria-valuetext", "0:09 of 0:15")
        slider.press("ArrowLeft")
        wait_until_at(page, 4)
        slider.press("Home")
        wait_until_at(page, 0)


def test_target_and_answer_are_compared_at_the_same_position_and_loudness(
    served: Served, chromium: Browser
) -> None:
    with watched(chromium, "desktop", "light") as page:
        open_listen(page, served)
        page.get_by_role("button", name="Play Match: 康定情歌（古筝）").click()
        page.wait_for_function(IS_PLAYING)
        assert volume(page) == 1.0
        pause_at(page, 6)
        compare = control(page, "Target, at the same position")
        compare.click()
        expect(title(page)).to_have_text(f"Target: {HOSTILE}")
        expect(compare).to_have_attribute("aria-pressed", "true")
        wait_until_at(page, 6)
        assert volume(page) == 0.501
        compare.click()
        expect(title(page)).to_have_text("Match: 康定情歌（古筝）")
        expect(compare).to_have_attribute("aria-pressed", "false")
        wait_until_at(page, 6)
        assert volume(page) == 1.0
        page.evaluate(f"{AUDIO}.play()")
        compare.click()
        expect(title(page)).to_have_text(f"Target: {HOSTILE}")
        page.wait_for_function(IS_PLAYING)
        wait_until_at(page, 6)


def test_a_clip_is_compared_with_its_excerpt_which_is_marked(
    served: Served, chromium: Browser
) -> None:
    with watched(chromium, "desktop", "light") as page:
        open_listen(page, served, LONG, show="clips")
        clip = page.locator(".mp-play[data-role=answer]").first
        offset = float(clip.get_attribute("data-offset") or 0)
        assert offset == (LONG_SECONDS - CLIP_SECONDS) / 2
        clip.click()
        page.wait_for_function(IS_PLAYING)
        pause_at(page, 2)
        control(page, "Target, at the same position").click()
        wait_until_at(page, 2 + offset)
        mark = page.locator(".mp-player-marks span")
        expect(mark).to_have_count(1)
        expect(mark).to_have_attribute("title", "Excerpt: 0:15 to 0:45")
        control(page, "Target, at the same position").click()
        wait_until_at(page, 2)
        expect(mark).to_have_count(0)


def test_keys_choose_play_and_compare(served: Served, chromium: Browser) -> None:
    with watched(chromium, "desktop", "light") as page:
        open_listen(page, served, show="matches")
        page.keyboard.press("2")
        expect(title(page)).to_have_text("Match: apple")
        page.wait_for_function(IS_PLAYING)
        page.keyboard.press("Space")
        page.wait_for_function(IS_PAUSED)
        page.keyboard.press("j")
        expect(title(page)).to_have_text(f"Match: {HOSTILE} (Egypt.ogg)")
        page.keyboard.press("k")
        page.keyboard.press("k")
        expect(title(page)).to_have_text("Match: 康定情歌（古筝）")
        page.keyboard.press("a")
        expect(title(page)).to_have_text(f"Target: {HOSTILE}")
        page.keyboard.press("9")
        expect(title(page)).to_have_text(f"Target: {HOSTILE}")


def test_keys_type_text_and_can_be_turned_off(served: Served, chromium: Browser) -> None:
    with watched(chromium, "desktop", "light") as page:
        open_listen(page, served, show="matches")
        page.get_by_role("combobox").first.press_sequentially("1 j")
        expect(page.get_by_role("combobox").first).to_have_value("1 j")
        page.keyboard.press("Escape")
        page.evaluate(NO_FOCUS)
        setting = page.get_by_role("checkbox", name="Keys")
        setting.uncheck()
        page.evaluate(NO_FOCUS)
        page.keyboard.press("1")
        expect(title(page)).to_have_text("Choose a track")
        page.reload()
        expect(setting).to_be_enabled()
        expect(setting).not_to_be_checked()
        setting.check()
        page.evaluate(NO_FOCUS)
        expect(page.locator(".mp-play").first).to_be_visible()
        page.keyboard.press("1")
        expect(title(page)).to_have_text("Match: 康定情歌（古筝）")


def test_a_track_plays_on_while_the_page_changes(served: Served, chromium: Browser) -> None:
    with watched(chromium, "desktop", "light") as page:
        open_listen(page, served)
        page.get_by_role("button", name="Play Match: drums").click()
        page.wait_for_function(IS_PLAYING)
        browser.open_from_menu(page, "Music", "Search")
        expect(page.get_by_role("heading", name="Search", level=1)).to_be_visible()
        browser.wait_until_drawn(page)
        expect(title(page)).to_have_text("Match: drums")
        assert page.evaluate(IS_PLAYING)
        expect(page.get_by_role("region", name="Player")).to_be_visible()


def test_a_page_cannot_load_anything_from_other_machines(served: Served, chromium: Browser) -> None:
    page = chromium.new_page()
    page.goto(served.address)
    refusal = page.evaluate(
        """() => new Promise((resolve) => {
          const report = (event) => resolve(event.blockedURI);
          document.addEventListener("securitypolicyviolation", report);
          fetch("http://other.example/").catch(() => {});
        })"""
    )
    assert refusal == "http://other.example/"
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", browser.SIZES)
def test_the_player_is_accessible_in_both_themes_and_sizes(
    served: Served, chromium: Browser, size: str, scheme: str
) -> None:
    with watched(chromium, size, scheme) as page:
        open_listen(page, served)
        page.locator(".mp-play").first.click()
        page.wait_for_function(IS_PLAYING)
        pause_at(page, 5)
        assert accessibility_violations(page) == []
        assert page.evaluate(browser.SIDEWAYS_SCROLL) <= 0
        page.locator(".mp-play").last.focus()
        hidden = page.evaluate(
            "() => document.activeElement.getBoundingClientRect().bottom"
            " - document.querySelector('.mp-player').getBoundingClientRect().top"
        )
        assert hidden <= 0, "the player covers the button with the focus"


def test_a_link_ends_with_its_page(served: Served, chromium: Browser) -> None:
    requested: list[str] = []
    page = chromium.new_page()
    page.on("request", lambda request: requested.append(request.url))
    open_listen(page, served)
    page.get_by_role("button", name="Play Target:").click()
    page.wait_for_function(IS_PLAYING)
    (link,) = {url for url in requested if "/audio/" in url}
    assert httpx.get(link).status_code == 200
    page.close()
    eventually(lambda: httpx.get(link).status_code == 403, seconds=20)


def test_audio_goes_on_with_a_new_link_after_a_lost_connection(
    served: Served, chromium: Browser
) -> None:
    requested: list[str] = []
    page = chromium.new_page()
    page.set_default_timeout(browser.SECONDS * 1000)
    page.add_init_script(KEEP_SOCKETS)
    page.on("request", lambda request: requested.append(request.url))
    open_listen(page, served)
    page.get_by_role("button", name="Play Target:").click()
    page.wait_for_function(IS_PLAYING)
    pause_at(page, 3)
    first = next(url for url in requested if "/audio/" in url)
    page.evaluate("() => window.sockets.forEach((socket) => socket.close())")
    eventually(lambda: httpx.get(first).status_code == 403, seconds=20)
    page.wait_for_function(
        "() => window.sockets.length > 1 && window.sockets.at(-1).readyState === 1"
    )
    page.get_by_role("button", name="Play Match: drums").click()
    page.wait_for_function(IS_PLAYING)
    expect(title(page)).to_have_text("Match: drums")
    expect(page.locator(".mp-player-status")).to_be_empty()
    assert page.evaluate(f"{AUDIO}.src").rpartition(".")[2] != first.rpartition(".")[2]
    page.close()


def test_an_uploaded_file_is_played_and_deleted_with_its_page(
    served: Served, chromium: Browser, tmp_path: Path
) -> None:
    file = tone(tmp_path / "query.wav", 523, seconds=7)
    name = sha256(file.read_bytes()).hexdigest()
    stored = Path(gettempdir())
    page = chromium.new_page()
    page.set_default_timeout(browser.SECONDS * 1000)
    page.goto(f"{served.address}/search")
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Play Query: query.wav").click()
    page.wait_for_function(IS_PLAYING)
    pause_at(page, 5)
    assert page.evaluate(f"{AUDIO}.duration") == pytest.approx(7, abs=0.1)
    browser.wait_until_drawn(page)
    page.get_by_role("radio", name="10").click()  # The file stays chosen when the page is redrawn.
    browser.wait_until_drawn(page)
    expect(page.get_by_role("button", name="Play Query: query.wav")).to_be_visible()
    assert "UploadedFileManager" not in httpx.get(f"{served.address}/_stcore/metrics").text
    assert len(list(stored.glob(f"mirpipe-query-*/{name}"))) == 1
    page.get_by_role("button", name="Remove query.wav").click()
    expect(page.get_by_role("button", name="Play Query: query.wav")).to_have_count(0)
    assert not list(stored.glob(f"mirpipe-query-*/{name}"))
    page.reload()
    page.locator("input[type=file]").set_input_files(file)
    expect(page.get_by_role("button", name="Play Query: query.wav")).to_be_visible()
    page.close()
    eventually(lambda: not list(stored.glob(f"mirpipe-query-*/{name}")), seconds=20)


def test_the_player_says_why_a_track_cannot_be_played(served: Served, chromium: Browser) -> None:
    page = chromium.new_page()
    open_listen(page, served)
    with served.database.owner.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE mirpipe.track_file SET path = '/nowhere/a.ogg', path_text = '/nowhere/a.ogg' "
            "WHERE track_id IN (SELECT track_id FROM mirpipe.track WHERE title = 'drums')"
        )
    page.get_by_role("button", name="Play Match: drums").click()
    expect(page.locator(".mp-player-status")).to_contain_text("/nowhere/a.ogg")
    page.close()
