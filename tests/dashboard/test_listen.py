"""What Listen shows of a target: each encoder's answers, each mode's clips, and how they sound."""

from sqlalchemy import text

from tests.dashboard.drawn import outlines
from tests.dashboard.filled import rate
from tests.dashboard.pages import HOSTILE, MODELS, link, page, written
from tests.support.databases import Database


def test_a_link_restores_its_target_and_depth(filled: Database) -> None:
    wanted = link(filled, "تجربة")
    app = page("listen", target=wanted, k="3")
    assert app.selectbox(key="target").value == wanted
    assert app.query_params["target"] == wanted
    assert written(app).count("<dl class='mp-readings'>") == 3 * len(MODELS)
    assert "Unpitched: no melody number of this target" in written(app)


def test_choosing_a_target_puts_it_into_the_address(filled: Database) -> None:
    app = page("listen")
    app.selectbox(key="target").set_value(link(filled, "long gone")).run()
    assert app.query_params["target"] == link(filled, "long gone")


def test_a_link_to_an_unknown_target_says_so(filled: Database) -> None:
    assert "not in the library" in page("listen", target="f" * 16).warning[0].value


def test_answers_say_in_words_where_melody_has_no_meaning(filled: Database) -> None:
    shown = written(page("listen", target=link(filled, HOSTILE), k="5"))
    assert shown.count("Melody has no meaning here: answer unpitched.") == len(MODELS)


def test_target_and_answers_have_players(filled: Database) -> None:
    app = page("listen", target=link(filled, HOSTILE), k="5")
    playable = 3 * len(MODELS)  # of four answers one is an AIFF
    assert len(app.get("audio")) == 1 + playable
    assert written(app).count("Browsers do not play AIFF files") == len(MODELS)


def test_a_file_that_vanished_is_said_to_have_vanished(filled: Database) -> None:
    app = page("listen", target=link(filled, "long gone"))
    assert "The audio file has vanished from /nowhere/" in written(app)


def test_ratings_of_target_and_answers_are_shown_where_there_are_any(filled: Database) -> None:
    before = written(page("listen", target=link(filled, "long gone")))
    assert "<dt>CE</dt>" not in before
    with filled.owner.begin() as connection:
        rate(connection, "long gone", 7.25, 6.5, 5.75, 8.125)
        rate(connection, "apple", 1.25, 2.25, 3.25, 4.25)
    shown = written(page("listen", target=link(filled, "long gone")))
    row = "".join(
        f"<div><dt>{name}</dt><dd>{value}</dd></div>"
        for name, value in (("CE", "7.25"), ("CU", "6.50"), ("PC", "5.75"), ("PQ", "8.12"))
    )
    assert f"<dl class='mp-readings'>{row}</dl>" in shown
    assert shown.count("<dt>CE</dt><dd>1.25</dd>") == len(MODELS)
    assert "licence of its weights: CC-BY-4.0" in shown
    assert shown.count(">random weights<") == 1  # the encoder's alone


def test_each_answer_says_why_it_is_here(filled: Database) -> None:
    shown = written(page("listen", target=link(filled, HOSTILE), k="10"))
    assert shown.count("<summary>Why answer 1 of musicnn</summary>") == 1
    assert "standard deviations above the mean of this target" in shown
    assert "% of the library&#39;s pairs are no more alike." in shown
    assert shown.count("<li>stand-in: rank ") == 4
    assert "not among its first" not in shown


def test_melody_is_held_against_chance_where_it_was_measured(filled: Database) -> None:
    with filled.owner.begin() as connection:
        for name, value in (("melody_accuracy_null95", 0.0), ("aligned_melody", 0.75)):
            connection.execute(
                text(
                    "WITH m AS (INSERT INTO mirpipe.metric (name, revision, spec) "
                    "VALUES (:name, '1', '{}') RETURNING metric_id) "
                    "INSERT INTO mirpipe.pair_score (metric_id, target_id, reference_id, value) "
                    "SELECT m.metric_id, target_id, reference_id, :value FROM m, "
                    "(SELECT DISTINCT target_id, reference_id FROM mirpipe.served_neighbour) p"
                ),
                {"name": name, "value": value},
            )
    shown = written(page("listen", target=link(filled, HOSTILE), k="10"))
    assert shown.count("more than chance (95 % of time shifts") == 3 * len(MODELS)
    assert shown.count("75 % of the shorter one&#39;s notes") == 3 * len(MODELS)
    assert "notes are" not in written(page("listen", target=link(filled, "تجربة")))


def test_players_are_turned_down_to_the_quietest(filled: Database) -> None:
    with filled.owner.begin() as connection:
        connection.execute(
            text("UPDATE mirpipe.track SET rms_dbfs = -24.0 WHERE title = '康定情歌（古筝）'")
        )
    shown = written(page("listen", target=link(filled, HOSTILE), k="10"))
    assert shown.count("data-volume='1.0000'>0.0 dB<") == len(MODELS)
    assert shown.count("data-volume='0.5012'>−6.0 dB<") == 1 + 2 * len(MODELS)


def test_outline_and_pitch_classes_are_drawn_where_they_are_known(filled: Database) -> None:
    at = {"target": link(filled, HOSTILE), "k": "10"}
    assert "class='mp-wave'" not in written(page("listen", **at))
    with filled.owner.begin() as connection:
        outlines(connection)
    shown = written(page("listen", **at))
    assert shown.count("class='mp-wave' alt='Outline of") == 1 + 4 * len(MODELS)
    assert shown.count("class='mp-chroma' alt='Pitch classes over time of") == 1 + 3 * len(MODELS)
    assert shown.count("unpitched: pitch classes would say nothing") == len(MODELS)


def test_parts_of_the_page_can_be_left_out_by_the_link(filled: Database) -> None:
    app = page("listen", target=link(filled, HOSTILE), show="clips")
    assert len(app.get("audio")) == 1
    assert "Nearest references" not in [one.value for one in app.subheader]
