"""Tests of all pages with an empty, a filled and an unreachable database."""

import itertools

import pytest
from sqlalchemy import text

from dashboard.data import current_state
from mirpipe.db.engine import close_engines
from mirpipe.settings import settings
from mirpipe.stages.report import report
from tests.dashboard.example_library import fill, rate
from tests.dashboard.open_page import HOSTILE, MODELS, PIECES, SHOWN, html, link, page
from tests.support.databases import Database


def test_an_empty_database_names_the_next_command(fresh_database: Database) -> None:
    for name in ("overview", "retrieval", "listen"):
        assert "mirpipe ingest" in "\n".join(code.value for code in page(name).code)
    assert "ledger is empty" in page("failures").success[0].value


@pytest.mark.parametrize(
    "name",
    [
        *("overview", "retrieval", "generation", "listen", "search", "tracks", "track", "map"),
        *("hubs", "history", "quality"),
    ],
)
def test_an_empty_library_is_named_as_such_also_after_a_run(
    fresh_database: Database, name: str
) -> None:
    report(trigger="test")
    app = page(name)
    assert [info.value for info in app.info] == ["The library is empty."]
    assert "mirpipe ingest ~/music/library" in "\n".join(code.value for code in app.code)


def test_tracks_without_a_run_name_the_next_command(fresh_database: Database) -> None:
    with fresh_database.app.begin() as connection:
        fill(connection, PIECES, MODELS)
    with fresh_database.owner.begin() as connection:
        connection.execute(text("TRUNCATE mirpipe.run CASCADE"))
    for name in ("overview", "retrieval", "listen"):
        app = page(name)
        assert "No run has finished" in app.info[0].value
        assert app.code[0].value == "mirpipe run"


def test_a_library_without_targets_says_so(fresh_database: Database) -> None:
    with fresh_database.app.begin() as connection:
        fill(connection, [piece for piece in PIECES if piece.collection == "reference"], MODELS)
    for name in ("retrieval", "listen"):
        assert "no targets" in page(name).info[0].value


def test_encoders_with_random_weights_are_marked(filled: Database) -> None:
    # The page Retrieval has two tables with encoders: the first metrics, and the others.
    for name, tables in (("overview", 1), ("retrieval", 2)):
        assert html(page(name)).count(">random weights<") == tables, name
    assert html(page("listen")).count(">untrained: random weights<") == 1


def test_ratings_by_random_weights_are_marked(filled: Database) -> None:
    with filled.owner.begin() as connection:
        for title in ("apple", "drums", HOSTILE, "康定情歌（古筝）"):
            rate(connection, title, 3.0, 4.0, 5.0, 6.0, is_random=True)
    for name in ("listen", "retrieval"):
        shown = html(page(name))
        assert shown.count(">Audiobox Aesthetics: random weights<") == 1
        assert "musicnn</bdi></span><br>" not in shown  # The encoder is not marked.


def test_a_title_with_markup_is_shown_literally_everywhere(filled: Database) -> None:
    app = page("listen")
    options = app.selectbox(key="target").options
    assert HOSTILE in options
    app.selectbox(key="target").set_value(link(filled, HOSTILE)).run()
    assert f"<bdi>{SHOWN}</bdi></a>" in html(app)
    assert "&lt;i&gt;jazz&lt;/i&gt;" in html(app)
    assert not any(HOSTILE in element.value for element in [*app.markdown, *app.caption])
    assert HOSTILE in list(page("overview", changes="true").dataframe[0].value["target"])


def test_an_unreachable_database_shows_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIRPIPE_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    settings.cache_clear()
    close_engines()
    for name in ("overview", "retrieval", "listen", "failures"):
        app = page(name)
        assert "cannot be read" in app.error[0].value
        assert "MIRPIPE_DATABASE_URL" in app.text[0].value
    close_engines()


def test_results_are_read_once_per_run(filled: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    marks = map(str, itertools.count())
    monkeypatch.setattr(current_state, "_change_mark", lambda: next(marks))
    before = html(app := page("retrieval"))
    with filled.owner.begin() as connection:
        connection.execute(text("UPDATE mirpipe.run_summary SET n = 77"))
    assert html(app.run()) == before
    with filled.owner.begin() as connection:
        connection.execute(text("UPDATE mirpipe.run SET finished_at = finished_at + '1 s'"))
    assert "n = 77" in html(app.run())


def test_the_glossary_explains_the_words_of_the_dashboard() -> None:
    text = "".join(element.value for element in page("glossary").markdown)
    assert "**match**" in text
    assert "**active revision**" in text
