"""What each page says over an empty, a filled and an absent database."""

import pytest
import streamlit as st
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from mirpipe.db.engine import forget_engines
from mirpipe.settings import PROJECT, settings
from tests.conftest import Database
from tests.dashboard.filled import Model, Piece, fail, fill, rate

DEMO = PROJECT / "demo"
HOSTILE = "**x** <b>$a$</b> :smile: [l](http://x)"
SHOWN = "**x** &lt;b&gt;$a$&lt;/b&gt; :smile: [l](http://x)"
PIECES = (
    Piece("target", HOSTILE, DEMO / "target/Jazz 120 BPM.ogg", labels={"genre": "<i>jazz</i>"}),
    Piece("target", "تجربة", DEMO / "target/Country 114 BPM.ogg", voiced=False),
    Piece("target", "long gone"),
    Piece("reference", "康定情歌（古筝）", DEMO / "reference/康定情歌（古筝）.ogg"),
    Piece("reference", HOSTILE, DEMO / "reference/Egypt.ogg"),
    Piece("reference", "apple", DEMO / "reference/West.ogg", format="AIFF"),
    Piece("reference", "drums", DEMO / "reference/funk_80.ogg", voiced=False),
)
MODELS = (
    Model("musicnn", 0.8, 0.1, licence_weights="CC-BY-NC-SA-4.0"),
    Model("stand-in", 0.99, 0.001, checkpoint="random, seed 0"),
)


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    """No test sees what another one's database answered."""
    st.cache_data.clear()


@pytest.fixture
def filled(fresh_database: Database) -> Database:
    with fresh_database.app.begin() as connection:
        fill(connection, PIECES, MODELS)
    return fresh_database


def page(name: str, **query: str) -> AppTest:
    """The page as drawn; the test fails where it shows a traceback."""
    app = AppTest.from_file(str(PROJECT / "dashboard/app.py"), default_timeout=30)
    for key, value in query.items():
        app.query_params[key] = value
    if name != "overview":
        app.switch_page(f"views/{name}.py")
    app.run()
    assert app.title[0].value.lower() == name or app.error
    assert not app.exception
    return app


def written(app: AppTest) -> str:
    """All the HTML of a page."""
    return "\n".join(element.value for element in app.html)


def test_an_empty_database_says_which_command_comes_next(fresh_database: Database) -> None:
    for name in ("overview", "retrieval"):
        assert "mirpipe ingest" in "\n".join(code.value for code in page(name).code)
    assert "ledger is empty" in page("failures").success[0].value


def test_tracks_without_a_run_say_which_command_comes_next(fresh_database: Database) -> None:
    with fresh_database.app.begin() as connection:
        fill(connection, PIECES, MODELS)
    with fresh_database.owner.begin() as connection:
        connection.execute(text("TRUNCATE mirpipe.run CASCADE"))
    for name in ("overview", "retrieval"):
        app = page(name)
        assert "No run has finished" in app.info[0].value
        assert app.code[0].value == "mirpipe run"


def test_a_library_without_targets_says_so(fresh_database: Database) -> None:
    with fresh_database.app.begin() as connection:
        fill(connection, [piece for piece in PIECES if piece.collection == "reference"], MODELS)
    assert "no target" in page("retrieval").info[0].value


def test_overview_counts_the_library_and_gives_mean_sd_and_n(filled: Database) -> None:
    app = page("overview")
    with filled.reader.connect() as connection:
        z = connection.execute(
            text(
                "SELECT mean, sd FROM mirpipe.v_retrieval_summary "
                "WHERE encoder = 'musicnn' AND metric = 'z'"
            )
        ).one()
    shown = written(app)
    assert "<dt>references</dt><dd>4</dd>" in shown
    assert f"{z.mean:.2f}&nbsp;<span class='mp-muted'>±&nbsp;{z.sd:.2f}</span>" in shown
    assert "n = 3" in shown
    assert "CC-BY-NC-SA-4.0" in shown
    assert len(app.get("vega_lite_chart")) == 3


def test_random_weights_are_marked_wherever_they_answer(filled: Database) -> None:
    for name in ("overview", "retrieval"):
        assert written(page(name)).count(">random weights<") == 1


def test_ratings_of_target_and_answers_are_shown_where_there_are_any(filled: Database) -> None:
    before = written(page("retrieval", target=link(filled, "long gone")))
    assert "<dt>CE</dt>" not in before
    assert "<dt>CE</dt>" not in written(page("overview"))
    with filled.owner.begin() as connection:
        rate(connection, "long gone", 7.25, 6.5, 5.75, 8.125)
        rate(connection, "apple", 1.25, 2.25, 3.25, 4.25)
    shown = written(page("retrieval", target=link(filled, "long gone")))
    row = "".join(
        f"<div><dt>{name}</dt><dd>{value}</dd></div>"
        for name, value in (("CE", "7.25"), ("CU", "6.50"), ("PC", "5.75"), ("PQ", "8.12"))
    )
    assert f"<dl class='mp-readings'>{row}</dl>" in shown
    assert shown.count("<dt>CE</dt><dd>1.25</dd>") == len(MODELS)
    assert "licence of its weights: CC-BY-4.0" in shown
    assert shown.count(">random weights<") == 1  # the encoder's alone


def test_the_overview_gives_the_answers_ratings_and_their_licence(filled: Database) -> None:
    with filled.owner.begin() as connection:
        for title in ("apple", "drums", HOSTILE, "康定情歌（古筝）"):
            rate(connection, title, 3.0, 4.0, 5.0, 6.0)
    st.cache_data.clear()
    shown = written(page("overview"))
    assert "3.00&nbsp;<span class='mp-muted'>±&nbsp;0.00</span>" in shown
    assert "CC-BY-NC-SA-4.0; CC-BY-4.0" in shown
    assert "Audiobox Aesthetics: random" not in shown


def test_ratings_by_random_weights_are_marked(filled: Database) -> None:
    with filled.owner.begin() as connection:
        for title in ("apple", "drums", HOSTILE, "康定情歌（古筝）"):
            rate(connection, title, 3.0, 4.0, 5.0, 6.0, checkpoint="aes (random)")
    for name in ("overview", "retrieval"):
        shown = written(page(name))
        assert shown.count(">Audiobox Aesthetics: random weights<") == 1
        assert "musicnn</bdi><br>" not in shown  # the encoder is not blamed


def test_a_title_of_markup_shows_as_it_is_everywhere(filled: Database) -> None:
    app = page("retrieval")
    options = app.selectbox(key="target").options
    assert HOSTILE in options
    app.selectbox(key="target").set_value(link(filled, HOSTILE)).run()
    assert f"<bdi class='mp-title'>{SHOWN}</bdi>" in written(app)
    assert "&lt;i&gt;jazz&lt;/i&gt;" in written(app)
    assert not any(HOSTILE in element.value for element in [*app.markdown, *app.caption])
    assert HOSTILE in list(page("overview").dataframe[0].value["target"])


def test_a_link_restores_its_target_and_depth(filled: Database) -> None:
    wanted = link(filled, "تجربة")
    app = page("retrieval", target=wanted, k="3")
    assert app.selectbox(key="target").value == wanted
    assert app.query_params["target"] == wanted
    assert written(app).count("<dl class='mp-readings'>") == 3 * len(MODELS)
    assert "Unpitched: no melody number of this target" in written(app)


def test_choosing_a_target_puts_it_into_the_address(filled: Database) -> None:
    app = page("retrieval")
    app.selectbox(key="target").set_value(link(filled, "long gone")).run()
    assert app.query_params["target"] == link(filled, "long gone")


def test_a_link_to_an_unknown_target_says_so(filled: Database) -> None:
    assert "not in the library" in page("retrieval", target="f" * 16).warning[0].value


def test_answers_say_in_words_where_melody_has_no_meaning(filled: Database) -> None:
    shown = written(page("retrieval", target=link(filled, HOSTILE)))
    assert shown.count("Melody has no meaning here: answer unpitched.") == len(MODELS)


def test_target_and_answers_have_players(filled: Database) -> None:
    app = page("retrieval", target=link(filled, HOSTILE))
    playable = 3 * len(MODELS)  # of four answers one is an AIFF
    assert len(app.get("audio")) == 1 + playable
    assert written(app).count("Browsers do not play AIFF files") == len(MODELS)


def test_a_file_that_vanished_is_said_to_have_vanished(filled: Database) -> None:
    app = page("retrieval", target=link(filled, "long gone"))
    assert "The audio file has vanished from /nowhere/" in written(app)


def test_the_ledger_is_shown_filtered_and_downloaded(fresh_database: Database) -> None:
    with fresh_database.app.begin() as connection:
        for reason in ("silent", "truncated"):
            subject = f"/music/{reason} **静音**.wav"
            fail(
                connection,
                stage="ingest",
                subject=subject,
                reason=reason,
                message=f"{subject} is {reason}",
                retry=False,
            )
    app = page("failures")
    assert "no, bad input" in written(app)
    assert list(app.dataframe[0].value["reason"]) == ["silent", "truncated"]
    assert list(app.dataframe[0].value["plug-in"]) == ["", ""]
    app.multiselect(key="reason").set_value(["silent"]).run()
    app.text_input(key="search").set_value("静音").run()
    assert list(app.dataframe[0].value["what"]) == ["/music/silent **静音**.wav"]
    app.text_input(key="search").set_value("100%").run()
    assert "matches" in app.info[0].value


def test_a_database_that_is_down_gives_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIRPIPE_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    settings.cache_clear()
    forget_engines()
    for name in ("overview", "retrieval", "failures"):
        app = page(name)
        assert "cannot be read" in app.error[0].value
        assert "MIRPIPE_DATABASE_URL" in app.text[0].value
    forget_engines()


def test_results_are_asked_once_a_run(filled: Database) -> None:
    before = written(page("overview"))
    with filled.owner.begin() as connection:
        connection.execute(text("UPDATE mirpipe.run_summary SET n = 77"))
    assert written(page("overview")) == before
    with filled.owner.begin() as connection:
        connection.execute(text("UPDATE mirpipe.run SET finished_at = finished_at + '1 s'"))
    assert "n = 77" in written(page("overview"))


def link(database: Database, title: str) -> str:
    """What the address holds for the target of this title."""
    query = (
        "SELECT content_sha256 FROM mirpipe.v_library WHERE title = :t AND collection = 'target'"
    )
    with database.reader.connect() as connection:
        return str(connection.execute(text(query), {"t": title}).scalar_one())[:16]
