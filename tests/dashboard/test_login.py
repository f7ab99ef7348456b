"""Tests that a visitor sees nothing before the login: with AppTest, and in Chromium."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from streamlit import config
from streamlit.testing.v1 import AppTest

from mirpipe.served_audio.links import linked_content
from mirpipe.settings import PROJECT, settings
from tests.dashboard.browser import chromium as started_chromium
from tests.dashboard.browser import running_dashboard
from tests.dashboard.login_proxy import login_proxy
from tests.dashboard.openid_provider import openid_provider
from tests.support.databases import Database

EVERYWHERE = ("--server.address", "0.0.0.0")
AUTH = """
[auth]
redirect_uri = "{dashboard}/oauth2callback"
cookie_secret = "a secret for this test only, of 48 characters...."
client_id = "mirpipe"
client_secret = "secret"
server_metadata_url = "{provider}/.well-known/openid-configuration"
"""


def app() -> AppTest:
    return AppTest.from_file(str(PROJECT / "dashboard/app.py"), default_timeout=30)


def titles(tested: AppTest) -> list[str]:
    tested.run()
    assert not tested.exception
    return [title.value for title in tested.title]


@pytest.mark.parametrize("address", [None, "0.0.0.0"])
def test_a_dashboard_that_others_can_reach_is_not_shown_without_a_login(
    fresh_database: Database, monkeypatch: pytest.MonkeyPatch, address: str | None
) -> None:
    config.set_option("server.address", address)
    tested = app()
    assert titles(tested) == []
    assert tested.error[0].value == "The dashboard is not shown, because it has no login."
    assert "MIRPIPE_DASHBOARD_WITHOUT_LOGIN=true" in tested.text[0].value

    monkeypatch.setenv("MIRPIPE_DASHBOARD_WITHOUT_LOGIN", "true")
    settings.cache_clear()
    assert titles(app()) == ["Overview"]


def test_a_request_without_the_header_of_the_proxy_is_refused_even_on_this_machine(
    fresh_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIRPIPE_DASHBOARD_USER_HEADER", "X-User")
    monkeypatch.setenv("MIRPIPE_DASHBOARD_WITHOUT_LOGIN", "true")
    settings.cache_clear()
    tested = app()
    assert titles(tested) == []
    assert tested.error[0].value == "You are not logged in."


def test_with_openid_connect_only_a_logged_in_visitor_sees_a_page(
    fresh_database: Database,
) -> None:
    tested = app()
    tested.secrets["auth"] = {"client_id": "mirpipe"}
    tested.user = {"is_logged_in": False}
    assert titles(tested) == ["mirpipe"]
    assert [button.label for button in tested.button] == ["Log in"]
    tested.user = {"is_logged_in": True}
    assert titles(tested) == ["Overview"]
    assert tested.sidebar.button[0].label == "Log out"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with started_chromium() as browser:
        yield browser


@pytest.mark.browser
@pytest.mark.slow
def test_a_server_started_by_hand_shows_nothing_without_a_login(
    fresh_database: Database, chromium: Browser, tmp_path: Path
) -> None:
    with running_dashboard(tmp_path, *EVERYWHERE) as address:
        page = chromium.new_page()
        page.goto(f"{address}/sql?sql=SELECT+1")
        expect(page.get_by_text("because it has no login")).to_be_visible()
        expect(page.get_by_role("heading", level=1)).to_have_count(0)


@pytest.mark.browser
@pytest.mark.slow
def test_only_requests_with_the_header_of_the_proxy_see_a_page(
    fresh_database: Database, chromium: Browser, tmp_path: Path
) -> None:
    variables = {"MIRPIPE_DASHBOARD_USER_HEADER": "X-User"}
    with running_dashboard(tmp_path, *EVERYWHERE, variables=variables) as address:
        page = chromium.new_page()
        page.goto(f"{address}/sql")
        expect(page.get_by_text("You are not logged in.")).to_be_visible()
        expect(page.get_by_role("heading", level=1)).to_have_count(0)
        assert page.request.get(f"{address}/audio/{'0' * 64}").status == 403
        with login_proxy(int(address.rpartition(":")[2]), "x-user: maria") as proxy:
            page.goto(f"{proxy}/sql")
            expect(page.get_by_role("heading", name="SQL", level=1)).to_be_visible()
        with login_proxy(int(address.rpartition(":")[2]), "x-user: ") as proxy:
            page.goto(f"{proxy}/sql")
            expect(page.get_by_text("You are not logged in.")).to_be_visible()


@pytest.mark.browser
@pytest.mark.slow
def test_a_visitor_logs_in_and_out_with_openid_connect(
    fresh_database: Database, chromium: Browser, tmp_path: Path
) -> None:
    (tmp_path / ".streamlit").mkdir()
    with openid_provider() as provider, running_dashboard(tmp_path, *EVERYWHERE) as address:
        secrets = AUTH.format(dashboard=address, provider=provider)
        (tmp_path / ".streamlit" / "secrets.toml").write_text(secrets)
        page = chromium.new_page()
        page.goto(f"{address}/sql")
        overview = page.get_by_role("heading", name="Overview", level=1)
        expect(page.get_by_role("heading", name="mirpipe", level=1)).to_be_visible()
        expect(page.get_by_role("heading", name="SQL", level=1)).to_have_count(0)
        page.get_by_role("button", name="Log in").click()
        expect(overview).to_be_visible()
        page.get_by_role("button", name="Log out").click()
        expect(page.get_by_role("button", name="Log in")).to_be_visible()
        expect(overview).to_have_count(0)


@pytest.mark.browser
@pytest.mark.slow
def test_secrets_that_cannot_be_read_refuse_every_visitor(
    fresh_database: Database, chromium: Browser, tmp_path: Path
) -> None:
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "secrets.toml").write_text("[auth")
    with running_dashboard(tmp_path) as address:
        page = chromium.new_page()
        page.goto(f"{address}/sql")
        expect(page.get_by_text("The login cannot be set up.")).to_be_visible()
        expect(page.get_by_role("heading", name="SQL", level=1)).to_have_count(0)


def page_with_a_log_out() -> None:
    import streamlit as st

    from dashboard.components import login
    from dashboard.data.audio_ticket import audio_ticket

    st.text(audio_ticket().token)
    st.button("Log out", on_click=login._log_out)


def test_a_log_out_ends_the_links_to_audio(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamlit.logout", lambda: None)
    app = AppTest.from_function(page_with_a_log_out).run()
    link = f"ab.{app.text[0].value}"
    assert linked_content(link) is not None
    app.button[0].click().run()
    assert linked_content(link) is None
