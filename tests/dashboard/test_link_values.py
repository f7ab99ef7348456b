"""Tests of links that name a choice by its code instead of by its displayed name."""

import ast
from collections.abc import Iterator

import pytest
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from mirpipe.settings import PROJECT
from tests.dashboard.open_page import html, page
from tests.dashboard.test_quality import FINDINGS, OFFSET, TRACK
from tests.support.databases import Database


def choose() -> None:
    import streamlit as st

    from dashboard.components.link_values import accept_codes

    names = {"dc_offset": "DC offset", "silent": "silent", "early_end": "early end"}
    accept_codes("kind", list(names), names.__getitem__)
    st.multiselect(
        "Kind", list(names), format_func=names.__getitem__, key="kind", bind="query-params"
    )
    accept_codes("one", list(names), names.__getitem__)
    st.selectbox("One", list(names), format_func=names.__getitem__, key="one", bind="query-params")


@pytest.mark.parametrize(
    ("given", "chosen"),
    [
        (["dc_offset"], ["dc_offset"]),
        (["DC offset"], ["dc_offset"]),
        (["silent"], ["silent"]),
        (["silent", "early_end"], ["silent", "early_end"]),
        (["DC offset", "early_end"], ["dc_offset", "early_end"]),
        (["unknown"], []),
        ([], []),
    ],
)
def test_a_link_names_choices_by_code_or_by_name(given: list[str], chosen: list[str]) -> None:
    app = AppTest.from_function(choose)
    app.query_params["kind"] = given
    app.run()
    assert app.multiselect(key="kind").value == chosen
    app.multiselect(key="kind").set_value(["silent"]).run()
    assert app.multiselect(key="kind").value == ["silent"]


def test_a_link_names_a_single_choice_by_its_code() -> None:
    app = AppTest.from_function(choose)
    app.query_params["one"] = "early_end"
    app.run()
    assert app.selectbox(key="one").value == "early_end"


def test_links_to_findings_filter_by_their_codes(fresh_database: Database) -> None:
    with fresh_database.app.begin() as connection:
        track = connection.execute(text(TRACK)).scalar_one()
        connection.execute(text(FINDINGS), {"track": track})
    app = page("quality", kind="dc_offset")
    assert app.multiselect(key="kind").value == ["dc_offset"]
    findings = html(app).partition("aria-label='Findings'")[2].partition("</table>")[0]
    assert findings.count("<tr") == 2
    assert OFFSET in findings
    app = page("tracks", finding="dc_offset")
    assert app.multiselect(key="finding").value == ["dc_offset"]


def bound_widgets_with_names() -> Iterator[tuple[str, str, bool]]:
    """Yield the file, the key, and whether codes are accepted, for each widget in an address."""
    for path in sorted((PROJECT / "dashboard").rglob("*.py")):
        calls = [node for node in ast.walk(ast.parse(path.read_text())) if type(node) is ast.Call]
        accepted = {
            ast.unparse(call.args[0])
            for call in calls
            if ast.unparse(call.func).endswith("accept_codes")
        }
        for call in calls:
            given = {each.arg: ast.unparse(each.value) for each in call.keywords}
            if "format_func" in given and "bind" in given:
                yield path.name, given["key"], given["key"] in accepted


def test_every_choice_with_a_display_name_can_be_named_by_its_code() -> None:
    found = list(bound_widgets_with_names())
    assert len(found) > 5
    # The choices of this widget are track ids, which no link should contain.
    refused = {(name, key) for name, key, is_accepted in found if not is_accepted}
    assert refused == {("search_by_track.py", "KEY")}
