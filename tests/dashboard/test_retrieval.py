"""Tests of the Retrieval page: encoder results on average and for each target."""

import re
from dataclasses import replace
from html import escape
from pathlib import Path

import pytest
import streamlit as st
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from dashboard.components import heatmap
from dashboard.views.retrieval import encoder_scatter
from dashboard.views.retrieval.match_rows import match_rows
from mirpipe.db import queries
from mirpipe.db.queries.best_match_similarities import best_match_similarities
from mirpipe.settings import settings
from tests.dashboard.drawn_heatmaps import heatmaps
from tests.dashboard.example_library import Piece, fill, rate
from tests.dashboard.example_rankings import write_rankings
from tests.dashboard.open_page import HOSTILE, MODELS, PIECES, html, page
from tests.support.databases import Database


def test_encoders_are_averaged_with_sd_n_and_licence(filled: Database) -> None:
    app = page("retrieval")
    with filled.reader.connect() as connection:
        z = connection.execute(
            text(
                "SELECT mean, sd FROM mirpipe.v_retrieval_summary "
                "WHERE encoder = 'musicnn' AND metric = 'z'"
            )
        ).one()
    shown = html(app)
    assert f"{z.mean:.2f}&nbsp;<span class='mp-muted'>±&nbsp;{z.sd:.2f}</span>" in shown
    assert "n = 3" in shown
    assert "CC-BY-NC-SA-4.0" in shown
    # The charts show a summary, similarity by rank, a heatmap, two encoders and groups.
    assert len(app.get("vega_lite_chart")) == 1 + 1 + 1 + 1 + 1


def test_charts_of_other_metrics_are_drawn_when_they_are_asked_for(filled: Database) -> None:
    app = page("retrieval")
    label = "Charts of other metrics (2)"
    assert label in [expander.label for expander in app.expander]

    def titles() -> list[str]:
        return [chart.proto.alt for chart in app.get("vega_lite_chart")]

    before = titles()
    app.session_state[label] = True
    app.run()
    new = [title for title in titles() if title not in before]
    assert new == [
        "melody accuracy of pitched pairs, by encoder",
        "cosine: cannot be compared, by encoder",
    ]


def test_one_heatmap_is_drawn_of_the_metric_that_a_link_chooses(filled: Database) -> None:
    app = page("retrieval")
    assert [chart.proto.alt for chart in heatmaps(app)] == [
        "Similarity as z (sd above the mean), by target"
    ]
    # CLAP similarity and aligned melody were not measured.
    assert app.segmented_control(key="cells").options == ["z", "melody accuracy"]
    [chart] = heatmaps(page("retrieval", cells="melody_accuracy"))
    assert chart.proto.alt.startswith("Melody accuracy of target and match")


def test_two_encoders_are_compared_target_by_target(filled: Database) -> None:
    target_ids = [target.track_id for target in queries.targets()]
    rows = best_match_similarities(target_ids, ["musicnn", "untrained"])
    points = encoder_scatter.pair_points(rows, "musicnn", "untrained", "z")
    assert len(points) == 3, "there is not one point per target"
    for point in points.itertuples():
        own = {row.encoder: row for row in rows if row.target_id == point.target_id}
        assert (point.x, point.y) == (own["musicnn"].z, own["untrained"].z)
        same = own["musicnn"].reference_id == own["untrained"].reference_id
        assert (point.agreement == "same best match") == same
    undefined = [replace(row, z=None) if row.encoder == "musicnn" else row for row in rows]
    assert encoder_scatter.pair_points(undefined, "musicnn", "untrained", "z").empty


def test_two_of_several_encoders_are_chosen(fresh_database: Database) -> None:
    models = [replace(MODELS[0], name=name) for name in ("a", "b", "c")]
    with fresh_database.app.begin() as connection:
        fill(connection, PIECES, models)
    app = page("retrieval", similarity="cosine", x="b", y="c")
    titles = [chart.proto.alt for chart in app.get("vega_lite_chart")]
    assert any(title.endswith("of the best match of each target, b against c") for title in titles)
    app.selectbox(key="x").select("c").run()
    assert app.selectbox(key="y").options == ["a", "b"]


def test_the_page_starts_with_the_encoder_whose_matches_score_highest(
    filled: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIRPIPE_PRIMARY_RETRIEVAL_METRIC", "melody_accuracy")
    settings.cache_clear()
    with filled.reader.connect() as connection:
        mean = connection.execute(
            text(
                "SELECT mean FROM mirpipe.v_retrieval_summary "
                "WHERE encoder = 'musicnn' AND metric = 'melody_accuracy'"
            )
        ).scalar_one()
    answer = html(page("retrieval")).partition("mp-answer'>")[2].partition("</p>")[0]
    assert f"musicnn have a mean melody accuracy of all pairs of {mean:.3f}" in answer
    assert "untrained" not in answer


def test_label_agreement_comes_first_and_z_is_not_called_quality(filled: Database) -> None:
    assert "genre P@1" not in html(page("retrieval"))
    with filled.owner.begin() as connection:
        write_rankings(connection)
        connection.execute(
            text(
                "INSERT INTO mirpipe.run_ranking SELECT run_id, encoder_id, 'targets', 'genre', "
                "'p_at_1', 'cosine', 8, 0, 0.75, 0.41, 0.93 FROM mirpipe.run, mirpipe.encoder "
                "ON CONFLICT DO NOTHING"
            )
        )
    st.cache_data.clear()
    app = page("retrieval")
    shown = html(app)
    assert shown.index("genre P@1") < shown.index("cosine (own space)")
    assert "<span>0.75</span>" in shown
    assert "0.41 … 0.93" in shown
    captions = " ".join(caption.value for caption in app.caption)
    assert "but not how good it is" in captions


def test_the_chart_of_the_primary_metric_comes_first(
    filled: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for metric, title in (("melody_accuracy", "melody accuracy of all pairs"), ("z", "z: how far")):
        monkeypatch.setenv("MIRPIPE_PRIMARY_RETRIEVAL_METRIC", metric)
        settings.cache_clear()
        app = page("retrieval")
        assert app.get("vega_lite_chart")[0].proto.alt.startswith(title)
        drawn = [
            element.type
            for element in app.main
            if element.type == "vega_lite_chart" or "mp-table" in str(getattr(element, "value", ""))
        ]
        assert drawn[0] == "vega_lite_chart"
        assert "html" in drawn


def test_melody_accuracy_is_drawn_for_pitched_pairs_only(
    filled: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells_by_title = {}
    monkeypatch.setattr(
        heatmap, "show_heatmap", lambda cells, *, title, **_: cells_by_title.update({title: cells})
    )
    app = page("retrieval", cells="melody_accuracy")
    [(title, cells)] = cells_by_title.items()
    assert title.startswith("Melody accuracy")
    with filled.reader.connect() as connection:
        pitched = connection.execute(
            text(
                "SELECT encoder, target FROM mirpipe.v_retrieval "
                "WHERE rank = 1 AND melodic AND melody_accuracy IS NOT NULL"
            )
        ).all()
    assert pitched
    shown = {(cell.row, cell.column) for cell in cells if cell.value is not None}
    assert shown == {*map(tuple, pitched)}
    assert len(cells) > len(pitched)
    table = app.dataframe[-1].value
    assert table["melody_accuracy"].notna().sum() == len(pitched) < len(table)
    assert any("unless both are pitched" in caption.value for caption in app.caption)


def test_ratings_of_matches_are_averaged_with_their_licence(filled: Database) -> None:
    with filled.owner.begin() as connection:
        for title in ("apple", "drums", HOSTILE, "康定情歌（古筝）"):
            rate(connection, title, 3.0, 4.0, 5.0, 6.0)
    st.cache_data.clear()
    shown = html(page("retrieval"))
    assert "3.00&nbsp;<span class='mp-muted'>±&nbsp;0.00</span>" in shown
    assert "CC-BY-NC-SA-4.0; CC-BY-4.0" in shown
    assert "Audiobox Aesthetics: random" not in shown


def test_intervals_and_established_differences_are_shown_if_a_run_has_them(
    filled: Database,
) -> None:
    assert "✓ established" not in html(page("retrieval"))
    with filled.owner.begin() as connection:
        connection.execute(
            text(
                "UPDATE mirpipe.run_summary SET low = 1.25, high = 1.75, interval_reason = NULL "
                "WHERE metric = 'z'"
            )
        )
        connection.execute(
            text(
                "UPDATE mirpipe.run_comparison SET low = 0.1, high = 0.5, interval_reason = NULL, "
                "higher_n = 3, p = 0.004, reason = NULL, role = 'secondary', "
                "p_adjusted = CASE metric WHEN 'z' THEN 0.004 ELSE 0.4 END"
            )
        )
    st.cache_data.clear()
    shown = html(page("retrieval"))
    assert shown.count("<small>1.25 … 1.75</small>") == 2
    assert shown.count("✓ established") == 1
    assert (
        "<small>0.10 … 0.50</small><small>n = 3, higher for 3</small><small>p = 0.004</small>"
        in shown
    )
    assert "p = 0.400" in shown


def test_the_primary_metric_of_the_differences_comes_first_with_the_reason_for_no_test(
    filled: Database,
) -> None:
    with filled.owner.begin() as connection:
        connection.execute(
            text(
                "UPDATE mirpipe.run_comparison SET p_adjusted = NULL, "
                "reason = 'too_few_targets', "
                "role = CASE metric WHEN 'percentile' THEN 'primary' ELSE 'secondary' END"
            )
        )
    table = html(page("retrieval")).partition("aria-label='Differences between encoders'")[2]
    assert table.partition("<th class='mp-number'>")[2].startswith("percentile (primary)</th>")
    assert "<small>no test: too few different targets</small>" in table


def test_a_link_chooses_how_similarity_is_shown(filled: Database) -> None:
    app = page("retrieval", similarity="cosine")
    assert any("Similarity as cosine" in element.value for element in app.subheader)
    default = [element.value for element in page("retrieval").subheader]
    assert any("Similarity as z" in title for title in default)
    assert not any("CLAP" in title for title in default), "a heatmap without any value is shown"


def test_every_best_match_is_in_the_table(filled: Database) -> None:
    table = page("retrieval").dataframe[0].value
    assert len(table) == 3 * 2
    assert set(table["target"]) == {HOSTILE, "تجربة", "long gone"}
    assert "clap_similarity" not in table  # CLAP similarity was not measured.


def test_the_worst_match_comes_first_and_is_named_with_links(
    filled: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIRPIPE_PRIMARY_RETRIEVAL_METRIC", "melody_accuracy_melodic")
    settings.cache_clear()
    app = page("retrieval")
    accuracies = app.dataframe[0].value["melody_accuracy"]
    defined = accuracies.dropna()
    assert list(defined) == sorted(defined)
    assert accuracies[: len(defined)].notna().all(), "an undefined value is not last"
    table = app.dataframe[0].value
    worst = table[table["encoder"] == "musicnn"].iloc[0]
    [sentence] = [text for text in html(app).split("<div>") if "is matched worst by" in text]
    words = re.sub("<[^>]*>", "", sentence)
    assert words.startswith(escape(worst["target"]))
    assert f"its best match by musicnn is {escape(worst['reference'])}" in words
    assert f"with {worst['melody_accuracy']:.3f}." in words
    assert "1 target without melody accuracy cannot be compared." in words
    assert sentence.count("href='track?") == 2


def test_many_targets_are_shown_in_pages(fresh_database: Database) -> None:
    pieces = [Piece("target", f"t{index:02}", Path(f"/{index}.ogg")) for index in range(45)]
    references = [piece for piece in PIECES if piece.collection == "reference"]
    with fresh_database.app.begin() as connection:
        fill(connection, [*pieces, *references], MODELS[:1])
    app = page("retrieval", page="2")
    assert app.number_input(key="page").value == 2
    [chart] = heatmaps(app)
    assert '"t44"' in chart.proto.spec
    assert '"t39"' not in chart.proto.spec
    assert shown_targets(app) == {f"t{index}" for index in range(40, 45)}
    app.text_input(key="target_search").set_value("t07").run()
    assert shown_targets(app) == {"t07"}


def shown_targets(app: AppTest) -> set[str]:
    """Return the targets in the table of best matches."""
    [table] = [each.value for each in app.dataframe if "reference" in each.value]
    return set(table["target"])


def test_the_csv_file_of_best_matches_has_the_columns_of_the_table(filled: Database) -> None:
    rows = match_rows(queries.best_match_scores())
    [table] = [each.value for each in page("retrieval").dataframe if "reference" in each.value]
    assert list(rows.columns) == list(table.columns)
    assert {"target", "reference", "encoder"} <= set(rows.columns)
    assert not {"target_id", "reference_id", "counts"} & set(rows.columns)
