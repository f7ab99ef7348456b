"""The voting page in Chromium: from the consent to the withdrawal, by keyboard and by touch."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import text

from tests.dashboard.browser import (
    AXE,
    SCREENSHOTS,
    SIDEWAYS_SCROLL,
    VIOLATIONS,
    chromium,
    responds,
    watched,
)
from tests.listening.conftest import TITLE, create_links
from tests.support.databases import Database
from tests.support.waiting import eventually

pytestmark = pytest.mark.browser

PLAY_BUTTON_X = 28
"""Horizontal position of the play button in Chromium's player, in pixels."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def address(audible_library: Database) -> Iterator[str]:
    """Start `mirpipe listening serve` on the library, and yield its address."""
    assert audible_library.name in str(audible_library.listener.url)
    with socket.create_server(("127.0.0.1", 0)) as unused:  # Another worker gets another port.
        port = unused.getsockname()[1]
    process = subprocess.Popen(
        [Path(sys.executable).with_name("mirpipe"), "listening", "serve"],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "MIRPIPE_LISTENING_PORT": str(port)},
    )
    try:
        assert process.stderr is not None
        found = re.search(r"http://127\.0\.0\.1:\d+", process.stderr.readline())
        assert found
        eventually(lambda: responds(f"{found[0]}/style.css"))
        yield found[0]
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)


def stored(database: Database) -> list[tuple[Any, ...]]:
    """Return the answers, as given for the left track, by position."""
    query = (
        "SELECT position, CASE WHEN is_swapped THEN -answer ELSE answer END "
        "FROM mirpipe.vote ORDER BY position"
    )
    with database.app.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def problems(page: Page) -> list[str]:
    """Return the violations that axe finds. The page's policy allows no script element."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[str] = page.evaluate(VIOLATIONS)
    return found


def press(page: Page, role: Literal["button", "link"], name: str) -> None:
    """Reach a control with the Tab key, and press it with Enter."""
    control = page.get_by_role(role, name=name)
    expect(control).to_be_visible()
    for _ in range(60):  # A player has several stops.
        page.keyboard.press("Tab")
        if control.evaluate("(control) => control === document.activeElement"):
            break
    expect(control).to_be_focused()
    page.keyboard.press("Enter")


def play_all(page: Page) -> None:
    """Play every track by its key until the browser has started it."""
    for key in ("t", "a", "b"):
        page.keyboard.press(key)
        expect(page.locator(f"audio[data-key={key}][data-heard]")).to_have_count(1)


@pytest.mark.parametrize(("size", "scheme"), [("desktop", "light"), ("phone", "dark")])
def test_a_listener_votes_by_keyboard_resumes_exports_and_withdraws(
    audible_library: Database,
    address: str,
    browser: Browser,
    size: str,
    scheme: str,
    tmp_path: Path,
) -> None:
    [token] = create_links()
    link = f"{address}/{token}"
    total = len(stored(audible_library))
    with watched(browser, size, scheme) as page:
        page.goto(link)
        expect(page.get_by_text("Your answers are stored without")).to_be_visible()
        assert problems(page) == []
        press(page, "button", "I agree")

        expect(page.get_by_text(f"Question 1 of {total}")).to_be_visible()
        left = page.get_by_role("button", name=re.compile("^A"))
        expect(left).to_be_disabled()
        page.keyboard.press("ArrowLeft")  # Nothing was played, so this is no answer.
        play_all(page)
        expect(left).to_be_enabled()
        assert problems(page) == []
        assert page.evaluate(SIDEWAYS_SCROLL) <= 0
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"voting-{size}-{scheme}.png")
        assert TITLE not in page.content()
        assert "secret" not in page.content()
        assert stored(audible_library)[0] == (0, None)
        page.keyboard.press("ArrowLeft")
        expect(page.get_by_text(f"Question 2 of {total}")).to_be_visible()

        page.goto(link)  # The listener comes back later.
        expect(page.get_by_text(f"Question 2 of {total}")).to_be_visible()
        page.keyboard.press("Backspace")
        expect(page.get_by_text(f"Question 1 of {total}")).to_be_visible()
        expect(left).to_have_attribute("aria-pressed", "true")
        page.keyboard.press("ArrowRight")
        for number in range(2, total + 1):
            expect(page.get_by_text(f"Question {number} of {total}")).to_be_visible()
            play_all(page)
            page.keyboard.press("ArrowDown")
        expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
        assert stored(audible_library) == [(0, -1), *((n, 0) for n in range(1, total))]
        assert problems(page) == []

        with page.expect_download() as download:
            press(page, "link", "Download my answers")
        download.value.save_as(tmp_path / "answers.json")
        exported = json.loads((tmp_path / "answers.json").read_text())
        assert [each["answer"] for each in exported] == [-1] + [0] * (total - 1)

        press(page, "button", "Withdraw")
        press(page, "button", "Keep them")
        expect(page.get_by_role("dialog")).to_be_hidden()
        assert len(stored(audible_library)) == total
        press(page, "button", "Withdraw")
        press(page, "button", "Delete them")
        expect(page.get_by_role("heading", name="You have withdrawn")).to_be_visible()
    assert stored(audible_library) == []


def test_a_touch_on_each_player_and_on_an_answer_is_enough(
    audible_library: Database, address: str, browser: Browser
) -> None:
    [token] = create_links()
    with watched(browser, "phone", "light", has_touch=True) as page:
        page.goto(f"{address}/{token}")
        page.get_by_role("button", name="I agree").tap()
        expect(page.locator("audio")).to_have_count(3)
        for audio in page.locator("audio").all():
            box = audio.bounding_box()
            assert box is not None
            audio.tap(position={"x": PLAY_BUTTON_X, "y": box["height"] / 2})
            expect(audio).to_have_attribute("data-heard", "true")
            playing = "(all) => all.filter((audio) => !audio.paused).length"
            assert page.locator("audio").evaluate_all(playing) <= 1
        page.get_by_role("button", name=re.compile("^No difference")).tap()
        expect(page.get_by_text("Question 2 of")).to_be_visible()
    assert stored(audible_library)[0] == (0, 0)


def test_a_question_whose_audio_is_gone_can_be_skipped(
    audible_library: Database, address: str, browser: Browser
) -> None:
    [token] = create_links()
    total = len(stored(audible_library))
    with audible_library.owner.begin() as connection:
        connection.execute(
            text(
                "UPDATE mirpipe.track_file SET path = path || '.gone' WHERE track_id = (SELECT "
                "CASE WHEN is_swapped THEN second_id ELSE first_id END FROM mirpipe.vote "
                "JOIN mirpipe.listening_question USING (question_id) WHERE position = 0)"
            )
        )
    gone = f"/{token}/audio/"
    with watched(browser, "desktop", "light", expected=lambda url: gone in url) as page:
        page.goto(f"{address}/{token}")
        press(page, "button", "I agree")
        skip = page.get_by_role("button", name="Skip")
        answered = []
        for position in range(total):
            expect(page.get_by_text(f"Question {position + 1} of {total}")).to_be_visible()
            page.wait_for_function(
                "() => [...document.querySelectorAll('audio')].every("
                "(audio) => audio.dataset.failed || audio.readyState > 0)"
            )
            if page.locator("audio[data-failed]").count():
                expect(page.get_by_text("The audio cannot be played")).to_be_visible()
                assert problems(page) == []
                if position == 0:  # Another track that plays does not hide the way on.
                    page.keyboard.press("b")
                    expect(page.locator("audio[data-key=b][data-heard]")).to_have_count(1)
                page.keyboard.press("s")
            else:
                expect(skip).to_be_hidden()
                page.keyboard.press("s")  # It is no key here.
                play_all(page)
                page.keyboard.press("ArrowDown")
                answered.append(position)
        expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
        expect(page.get_by_text("all questions that could be played.")).to_be_visible()
        assert 0 < len(answered) < total
        assert stored(audible_library) == [
            (position, 0 if position in answered else None) for position in range(total)
        ]
        page.goto(f"{address}/{token}")  # The audio may be there again.
        expect(page.get_by_text(f"Question 1 of {total}")).to_be_visible()


def test_a_rating_is_given_by_its_digit(
    audible_library: Database, address: str, browser: Browser
) -> None:
    [token] = create_links("rating")
    with watched(browser, "phone", "light") as page:
        page.goto(f"{address}/{token}")
        page.get_by_role("button", name="I agree").click()
        expect(page.get_by_role("heading", name="How similar is A to the target?")).to_be_visible()
        expect(page.get_by_role("group").get_by_role("button")).to_have_count(5)
        for key in ("t", "a"):
            page.keyboard.press(key)
            expect(page.locator(f"audio[data-key={key}][data-heard]")).to_have_count(1)
        assert problems(page) == []
        assert page.evaluate(SIDEWAYS_SCROLL) <= 0
        page.keyboard.press("0")  # This is no rating.
        page.keyboard.press("4")
        expect(page.get_by_text("Question 2 of")).to_be_visible()
    assert stored(audible_library)[0] == (0, 4)


def test_a_link_that_does_not_exist_is_explained(
    audible_library: Database, address: str, browser: Browser
) -> None:
    assert stored(audible_library) == []
    page = browser.new_page()
    page.goto(f"{address}/{'x' * 32}")
    expect(page.get_by_role("heading", name="This link does not work")).to_be_visible()
    page.close()
