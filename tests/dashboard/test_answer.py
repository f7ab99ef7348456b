"""Titles in answers are links to the pages of their tracks."""

from streamlit.testing.v1 import AppTest

from tests.dashboard.open_page import html


def test_a_title_that_two_tracks_have_is_no_link() -> None:
    def draw() -> None:
        from dashboard.components import answer

        sentence = "The best matches are \u2068Solo\u2069 and \u2068Twice\u2069."
        links = [("Solo", "track?track=1"), ("Twice", "track?track=2"), ("Twice", "track?track=3")]
        answer.show(sentence, links=links)

    shown = html(AppTest.from_function(draw).run())
    assert "track?track=1" in shown
    assert "track?track=2" not in shown
    assert "track?track=3" not in shown
    assert "Twice" in shown
