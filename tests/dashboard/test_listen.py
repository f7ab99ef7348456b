"""Tests of the Listen page: a target and the matches by each encoder."""

import re

from sqlalchemy import text

from dashboard.components.histogram_rows import Bar, Mark, histogram_rows
from dashboard.components.merged_ranks import EncoderRank, RankedTrack
from dashboard.components.similarity_distributions import marks
from mirpipe.settings import PROJECT
from tests.dashboard.example_library import Piece, fill, rate
from tests.dashboard.example_maps import write_waveforms
from tests.dashboard.open_page import HOSTILE, MODELS, PIECES, answer_of, html, link, page
from tests.support.databases import Database


def test_a_link_restores_its_target_and_depth(filled: Database) -> None:
    target_link = link(filled, "تجربة")
    app = page("listen", target=target_link, k="3")
    assert app.selectbox(key="target").value == target_link
    assert app.query_params["target"] == target_link
    assert 3 <= html(app).count("<table class='mp-ranks'>") <= 4
    assert "This target is unpitched" in html(app)


def test_the_address_holds_the_chosen_target(filled: Database) -> None:
    app = page("listen")
    app.selectbox(key="target").set_value(link(filled, "long gone")).run()
    assert app.query_params["target"] == link(filled, "long gone")


def test_the_page_opens_on_a_pitched_target(fresh_database: Database) -> None:
    demo = sorted((PROJECT / "demo" / "target").glob("*.ogg"))
    pieces = (
        Piece("target", "a drum loop", demo[0], voiced=False),
        Piece("target", "a tune", demo[1]),
        PIECES[3],
    )
    with fresh_database.app.begin() as connection:
        fill(connection, pieces, MODELS)
    app = page("listen")
    assert app.query_params["target"] == link(fresh_database, "a tune")


def test_a_link_to_an_unknown_target_says_so(filled: Database) -> None:
    assert "not in the library" in page("listen", target="f" * 16).warning[0].value


def test_matches_say_if_melody_accuracy_has_no_meaning(filled: Database) -> None:
    shown = html(page("listen", target=link(filled, HOSTILE), k="5"))
    assert shown.count("Melody accuracy has no meaning: match is unpitched.") == 1
    assert shown.count("<dt>melody accuracy</dt>") == 3, "a value without a meaning is shown"


def test_target_and_matches_have_players(filled: Database) -> None:
    app = page("listen", target=link(filled, HOSTILE), k="5")
    assert html(app).count("class='mp-play'") == 1 + 4


def test_a_missing_file_is_named(filled: Database) -> None:
    app = page("listen", target=link(filled, "long gone"))
    assert "The audio file is missing: /nowhere/" in html(app)


def test_tracks_without_a_file_say_what_is_missing(filled: Database) -> None:
    with filled.owner.begin() as connection:
        connection.execute(text("DELETE FROM mirpipe.track_file"))
        connection.execute(text("DELETE FROM mirpipe.pair_score"))
    app = page("listen", target=link(filled, HOSTILE))
    shown = html(app)
    assert "No file of this track was found. To play it, ingest its recording." in shown
    assert "marks it as gone" not in shown
    assert "No melody accuracy: not measured." in shown
    assert not [caption for caption in app.caption if "quietest" in caption.value]


def test_ratings_of_target_and_matches_are_shown(filled: Database) -> None:
    before = html(page("listen", target=link(filled, "long gone")))
    assert "<dt>CE</dt>" not in before
    with filled.owner.begin() as connection:
        rate(connection, "long gone", 7.25, 6.5, 5.75, 8.125)
        rate(connection, "apple", 1.25, 2.25, 3.25, 4.25)
    shown = html(page("listen", target=link(filled, "long gone")))
    row = "".join(
        f"<div><dt>{name}</dt><dd>{value}</dd></div>"
        for name, value in (("CE", "7.25"), ("CU", "6.50"), ("PC", "5.75"), ("PQ", "8.12"))
    )
    assert f"<dl class='mp-values'>{row}</dl>" in shown
    assert shown.count("<dt>CE</dt><dd>1.25</dd>") == 1
    assert "Licence of the weights: CC-BY-4.0" in shown
    assert "Audiobox Aesthetics: random weights" not in shown


def test_each_match_has_an_explanation(filled: Database) -> None:
    shown = html(page("listen", target=link(filled, HOSTILE), k="10"))
    assert shown.count("<summary>Why is it a match?</summary>") == 4
    assert shown.count("<li>untrained: its cosine is") == 4
    assert "standard deviations above the mean of this target" in shown
    assert "% of the library&#39;s reference pairs have no higher cosine." in shown


def test_a_reference_is_shown_once_with_its_rank_by_each_encoder(filled: Database) -> None:
    shown = html(page("listen", target=link(filled, HOSTILE), k="10"))
    tables = shown.split("<table class='mp-ranks'>")[1:]
    ranks = [re.findall(r"<td>(\w+)(?: \(random weights\))?</td><td>(\d)</td>", t) for t in tables]
    assert [[encoder for encoder, _ in row] for row in ranks] == [["musicnn", "untrained"]] * 4
    assert sorted(rank for row in ranks for _, rank in row) == sorted("1234" * 2)
    assert all("<th>z</th><th>percentile</th>" in table for table in tables)
    best = [min(rank for _, rank in row) for row in ranks]
    assert best == sorted(best), "the best rank does not come first"


def test_a_reference_needs_one_rank_within_the_depth(filled: Database) -> None:
    shown = html(page("listen", target=link(filled, HOSTILE), k="1"))
    with filled.reader.connect() as connection:
        best = connection.execute(
            text(
                "SELECT count(DISTINCT reference_id) FROM mirpipe.v_retrieval "
                "WHERE rank = 1 AND target = :title"
            ),
            {"title": HOSTILE},
        ).scalar_one()
    assert shown.count("<table class='mp-ranks'>") == best
    assert best < 4, "the example does not leave out any reference"


def test_the_target_is_marked_in_the_distributions(filled: Database) -> None:
    app = page("listen", target=link(filled, HOSTILE))
    assert next(header.value for header in app.header) == "Do the matches stand out?"
    cosines, z = app.get("vega_lite_chart")
    assert "each encoder has its own space" in cosines.proto.spec
    assert "of z for each encoder" in z.proto.alt
    tracks = [
        RankedTrack(1, "first", None, {"a": EncoderRank(1, 0.5, 3.0), "b": EncoderRank(2, 0.25)}),
        RankedTrack(2, "second", None, {"b": EncoderRank(1, 0.75, None)}),
    ]
    assert [mark.value for mark in marks(tracks, "cosine")] == [
        0.5,
        0.25,
        0.75,
    ]
    marked = marks(tracks, "z")
    assert marked == [Mark("a", 3.0, "match 1: first")]
    drawn = [Bar("b", 0, 1, 0.5), Bar("b", 1, 2, 0.25), Bar("a", 0, 1, 1.0)]
    chart = histogram_rows(drawn, marked, ["a", "b"], title="z")
    bars, lines = (layer.data for layer in chart.layer)
    assert list(bars["foot"]) == [0, 0, 1], "the first encoder is not at the top"
    assert list(bars["top"]) == [0.8, 0.4, 1.8], "the highest bars are not equally high"
    assert (lines["foot"].item(), lines["top"].item()) == (1, 1.8)


def test_the_page_answers_first(filled: Database) -> None:
    app = page("listen", target=link(filled, "تجربة"), k="1")
    answer = answer_of(app)
    assert answer.startswith("The reference that is most similar to تجربة is 康定情歌（古筝） by")
    linked = html(app).partition("<p class='mp-answer'>")[2].partition("</p>")[0]
    assert re.search(r"<a [^>]*href='track\?track=\w{16}&amp;in=reference'><bdi>康定", linked)
    assert " by musicnn (z = " in answer
    assert "untrained" not in answer


def add_pair_scores(database: Database, **values: float) -> None:
    """Store the same value of each metric for every pair of a target and a shown match."""
    with database.owner.begin() as connection:
        for name, value in values.items():
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


def test_melody_accuracy_is_compared_with_chance(filled: Database) -> None:
    add_pair_scores(filled, melody_accuracy_null95=0.0, aligned_melody=0.75)
    shown = html(page("listen", target=link(filled, HOSTILE), k="10"))
    assert shown.count(", above chance. For 95% of the time shifts") == 3
    assert shown.count("75% of the notes of the shorter track") == 3
    assert "of the notes of" not in html(page("listen", target=link(filled, "تجربة")))


def test_players_are_reduced_to_the_level_of_the_quietest(filled: Database) -> None:
    with filled.owner.begin() as connection:
        connection.execute(
            text("UPDATE mirpipe.track SET rms_dbfs = -24.0 WHERE title = '康定情歌（古筝）'")
        )
    shown = html(page("listen", target=link(filled, HOSTILE), k="10"))
    assert shown.count(">0.0 dB<") == shown.count("data-volume='1.0000'") == 1
    assert shown.count(">−6.0 dB<") == shown.count("data-volume='0.5012'") == 1 + 3


def test_silence_is_named_and_does_not_lower_the_level(filled: Database) -> None:
    assert "is silent" not in html(page("listen", target=link(filled, HOSTILE), k="10"))
    with filled.owner.begin() as connection:
        connection.execute(
            text(
                "UPDATE mirpipe.track SET rms_dbfs = -25.0, silent_share = 0.8, "
                "silent_parts = '{15,75}', sounding_rms_dbfs = -18.0 "
                "WHERE title = '康定情歌（古筝）'"
            )
        )
    shown = html(page("listen", target=link(filled, HOSTILE), k="10"))
    assert shown.count("80% of this track is silent and counts in no result.") == 1
    assert "−7.0 dB" not in shown


def test_waveform_and_pitch_classes_are_drawn_if_known(filled: Database) -> None:
    parameters = {"target": link(filled, HOSTILE), "k": "10"}
    assert "class='mp-wave'" not in html(page("listen", **parameters))
    with filled.owner.begin() as connection:
        write_waveforms(connection)
    shown = html(page("listen", **parameters))
    assert shown.count("class='mp-wave' alt='Waveform of") == 1 + 4
    assert shown.count("class='mp-chroma' alt='Pitch classes over time of") == 1 + 3
    assert shown.count("unpitched: no pitch classes to show") == 1


def test_a_link_chooses_the_parts_of_the_page(filled: Database) -> None:
    app = page("listen", target=link(filled, HOSTILE), show="clips")
    assert html(app).count("class='mp-play'") == 1
    assert [heading.value for heading in app.header] == [
        "Which clips were generated for this target?"
    ]


def test_an_old_link_to_answers_shows_the_matches(filled: Database) -> None:
    app = page("listen", target=link(filled, HOSTILE), show="answers")
    for _ in range(2):
        headings = [heading.value for heading in app.header]
        assert headings == ["Do the matches stand out?", "Which references are most similar?"]
        assert not app.warning
        app.run()


def test_the_best_offset_of_the_melodies_is_explained(filled: Database) -> None:
    add_pair_scores(filled, melody_accuracy_shifted=0.875, melody_offset=-0.02322)
    shown = html(page("listen", target=link(filled, HOSTILE), k="10"))
    expected = "Melody accuracy is 0.875 if the match is compared 23 ms earlier"
    assert shown.count(expected) == 3
    assert "best offset" not in html(page("listen", target=link(filled, "تجربة")))


def test_titles_from_tags_in_a_guessed_encoding_are_marked(filled: Database) -> None:
    assert "guessed tags" not in html(page("listen", target=link(filled, HOSTILE), k="5"))
    with filled.owner.begin() as connection:
        connection.execute(text("UPDATE mirpipe.track SET labels_from = 'tags'"))
        connection.execute(
            text(
                "UPDATE mirpipe.track_file f SET undecoded_tags = '{}', tag_encoding = 'gb18030', "
                "tag_encoding_guessed = true FROM mirpipe.track t "
                "WHERE t.track_id = f.track_id AND t.title = '康定情歌（古筝）'"
            )
        )
    shown = html(page("listen", target=link(filled, HOSTILE), k="5"))
    assert shown.count("<span class='mp-badge'>guessed tags</span>") == 1
