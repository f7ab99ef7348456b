"""Tests of the Generation page with clips, without clips, and with incomplete clips."""

import functools
import re
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from sqlalchemy import text

from dashboard.components import aesthetics_rating, heatmap, main_metrics
from dashboard.data import current_state
from dashboard.views.generation import guidance_charts, slope_charts
from mirpipe.db import queries
from mirpipe.generation.modes import Mode
from mirpipe.settings import settings
from tests.dashboard.drawn_heatmaps import heatmaps
from tests.dashboard.example_clips import UNGUIDED, Maker, describe, make
from tests.dashboard.example_library import Model, Piece, fill, rate, update_summaries
from tests.dashboard.open_page import DEMO, HOSTILE, SHOWN, html, page
from tests.support.databases import Database

SOUND = DEMO / "target/Jazz 120 BPM.ogg"
PIECES = (
    Piece("target", HOSTILE, SOUND),
    Piece("target", "تجربة", DEMO / "target/Country 114 BPM.ogg", voiced=False),
    Piece("reference", "康定情歌（古筝）", DEMO / "reference/康定情歌（古筝）.ogg"),
)
MODELS = (Model("musicnn", 0.8, 0.1, licence_weights="CC-BY-NC-SA-4.0"),)
RESYNTH = Maker("resynth", UNGUIDED, licence_weights="none")


@pytest.fixture
def filled(fresh_database: Database) -> Database:
    """Return a database with two targets, one reference and one encoder, but no clips."""
    with fresh_database.app.begin() as connection:
        fill(connection, PIECES, MODELS)
    return fresh_database


def write_captions_and_clips(database: Database, folder: Path, *makers: Maker) -> None:
    """Write a caption for every target and the clips of every generator."""
    with database.app.begin() as connection:
        describe(connection)
        make(connection, makers, folder, SOUND)


def test_without_tracks_or_targets_the_page_says_how_to_add_some(
    fresh_database: Database,
) -> None:
    assert "mirpipe ingest" in page("generation").code[1].value
    with fresh_database.app.begin() as connection:
        fill(connection, [piece for piece in PIECES if piece.collection == "reference"], MODELS)
    st.cache_data.clear()
    assert "no targets" in page("generation").info[0].value


def test_targets_without_clips_say_how_to_generate(filled: Database) -> None:
    app = page("generation")
    assert "Nothing has been generated yet" in app.info[0].value
    assert app.code[0].value == "mirpipe generate\nmirpipe run"
    assert len(app.code) == 1


def test_a_library_without_a_run_says_so(filled: Database) -> None:
    with filled.owner.begin() as connection:
        connection.execute(text("TRUNCATE mirpipe.run CASCADE"))
    assert "No run has finished" in page("generation").info[0].value


def test_averages_have_mean_sd_n_and_what_is_undefined(filled: Database, tmp_path: Path) -> None:
    write_captions_and_clips(filled, tmp_path, RESYNTH, Maker("musicgen", seeds=2))
    with filled.reader.connect() as connection:
        query = (
            "SELECT mean, sd FROM mirpipe.v_generation_summary "
            "WHERE generator = 'musicgen' AND mode = 'strong' AND metric = 'cosine musicnn'"
        )
        row = connection.execute(text(query)).one()
    shown = html(page("generation"))
    assert f"{row.mean:.3f}&nbsp;<span class='mp-muted'>±&nbsp;{row.sd:.3f}</span>" in shown
    assert "<small>n = 2</small>" in shown
    assert "<small>n = 1, 1 undefined</small>" in shown
    assert "cosine musicnn<small>CC-BY-NC-SA-4.0</small>" in shown
    assert "CC-BY-NC-4.0</td></tr>" in shown


def adjacent_cells(*cells: str) -> str:
    """Return the HTML of a table row with these cells."""
    return "".join(f"<td><span class='mp-nowrap'>{cell}</span></td>" for cell in cells)


def test_a_generator_without_guidance_has_no_chart(filled: Database, tmp_path: Path) -> None:
    write_captions_and_clips(filled, tmp_path, RESYNTH)
    app = page("generation")
    assert adjacent_cells("strong") in html(app)
    assert "<th>mode</th>" in html(app)
    assert "guidance" not in "".join(re.findall(r"<thead>.*?</thead>", html(app)))
    assert adjacent_cells("strong − medium") in html(app)
    assert "There are no values yet." not in [caption.value for caption in app.caption]
    assert "Guidance of" not in html(app)


def test_the_chart_of_the_primary_metric_comes_first(
    filled: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIRPIPE_PRIMARY_GENERATION_METRIC", "melody_accuracy")
    settings.cache_clear()
    write_captions_and_clips(filled, tmp_path, RESYNTH)
    first = page("generation").get("vega_lite_chart")[0].proto
    assert first.alt == "melody accuracy of all pairs, by mode"


def test_a_generator_with_guidance_has_a_chart_per_metric(filled: Database, tmp_path: Path) -> None:
    sweep = Mode("sweep", is_conditioned=True, guidance=7.5)
    write_captions_and_clips(
        filled, tmp_path, RESYNTH, Maker("musicgen", [*Maker("").modes, sweep])
    )
    app = page("generation")
    shown = html(app)
    assert adjacent_cells("sweep (7.5)") in shown
    assert "<th>mode (guidance)</th>" in shown
    assert "<th>modes (guidance)</th>" in shown
    assert "mp-nowrap'>none<" not in shown, "a generator without guidance has a guidance"
    assert adjacent_cells("sweep (7.5) − strong (5)") in shown
    # Two guidance charts, one heatmap, and one slope chart per generator.
    assert len(app.get("vega_lite_chart")) == 2 + 1 + 2
    assert "Guidance of musicgen" in shown
    assert "Guidance of resynth" not in shown


def test_guidance_charts_after_the_first_row_are_drawn_when_they_are_asked_for(
    filled: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guidance_charts, "CHARTS_PER_ROW", 1)
    sweep = Mode("sweep", is_conditioned=True, guidance=7.5)
    write_captions_and_clips(filled, tmp_path, Maker("musicgen", [*Maker("").modes, sweep]))
    app = page("generation")
    label = "Other metrics of musicgen by guidance (1)"
    assert label in [expander.label for expander in app.expander]

    def guided() -> list[str]:
        titles = [chart.proto.alt for chart in app.get("vega_lite_chart")]
        return [title for title in titles if title.endswith("by guidance")]

    assert len(guided()) == 1
    app.session_state[label] = True
    app.run()
    assert len(set(guided())) == 2


def test_modes_are_compared_and_chance_is_not_established(filled: Database, tmp_path: Path) -> None:
    write_captions_and_clips(filled, tmp_path, RESYNTH)
    with filled.reader.connect() as connection:
        query = (
            "SELECT n, mean_difference, higher_n FROM mirpipe.v_generation_delta "
            "WHERE metric = 'cosine musicnn' AND mode = 'medium' AND than_mode = 'simple'"
        )
        row = connection.execute(text(query)).one()
    app = page("generation")
    mean = f"{row.mean_difference:.3f}".replace("-", "−")
    assert f"<td class='mp-number'><span>{mean}</span>" in html(app)
    assert f"<small>n = 2, higher for {row.higher_n}</small><small>p = " in html(app)
    assert "established" not in html(app)


def test_differences_of_other_metrics_are_folded(
    filled: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(main_metrics, "SHOWN_FIRST", 1)
    write_captions_and_clips(filled, tmp_path, RESYNTH)
    app = page("generation")
    tables = re.findall(r"aria-label='(Differences[^']*)'>.*?<thead>(.*?)</thead>", html(app))
    assert [name for name, _ in tables] == [
        "Differences between modes",
        "Differences between modes, other metrics",
    ]
    first, others = (head.count("mp-number") for _, head in tables)
    assert first == 1
    assert f"Other metrics ({others})" in [expander.label for expander in app.expander]


def test_models_with_random_weights_are_marked(filled: Database, tmp_path: Path) -> None:
    write_captions_and_clips(filled, tmp_path, RESYNTH)
    assert "random weights" not in html(page("generation"))
    with filled.owner.begin() as connection:
        for table in ("captioner", "generator", "encoder"):
            connection.execute(
                text(f"UPDATE mirpipe.{table} SET spec = spec || '{{\"is_random\": true}}'")
            )
        update_summaries(connection)
    st.cache_data.clear()
    shown = html(page("generation"))
    badge = "<span class='mp-badge'>random weights</span>"
    assert f"Captions by writer {badge}" in shown
    # Two tables, and their folded metrics.
    assert shown.count(f"resynth</bdi></span><br>{badge}") == 12
    assert shown.count(f"<small>CC-BY-NC-SA-4.0</small>{badge}") == 2  # One per table.


def test_a_caption_is_shown_next_to_the_measurements(filled: Database, tmp_path: Path) -> None:
    write_captions_and_clips(filled, tmp_path, RESYNTH)
    shown = html(app := page("generation"))
    assert "No caption contradicts the measurements." in [line.value for line in app.markdown]
    row = f"{SHOWN}</bdi></a></div></td><td><div class='mp-quote'><bdi>A slow piece"
    assert row in shown
    assert "Captions by writer" in shown
    assert "licence of weights: Tongyi" in shown
    assert (
        "<td>120.4 BPM, or half or double of it</td><td>4 beats per bar</td><td>A minor</td>"
        "<td>80% of frames</td>" in shown
    )
    assert "contradicts" not in shown
    assert "<td>–<small>no clear meter</small></td><td>–<small>unpitched</small></td>" in shown


def test_contradictions_are_marked_in_words(filled: Database) -> None:
    line = "tempo: says 90 BPM, measured 120.4 <b>"
    with filled.app.begin() as connection:
        describe(connection, contradictions=[line, "key: says Bb major, measured F# minor"])
    shown = html(page("generation", contradictions="true"))
    assert "<strong>The caption contradicts the measurement</strong>" in shown
    assert "<li><bdi>tempo: says 90 BPM, measured 120.4 &lt;b&gt;</bdi></li>" in shown
    assert "<li><bdi>key: says B♭ major, measured F♯ minor</bdi></li>" in shown
    assert shown.count("<li>") == 2 * 2


def test_a_caption_with_markup_is_shown_literally(filled: Database, tmp_path: Path) -> None:
    with filled.app.begin() as connection:
        describe(connection, caption=HOSTILE)
        make(connection, [RESYNTH], tmp_path, SOUND)
    app = page("generation")
    assert f"<bdi>{SHOWN}</bdi></a>" in html(app)
    assert f"<div class='mp-quote'><bdi>{SHOWN}</bdi></div>" in html(app)
    assert not any(HOSTILE in element.value for element in [*app.markdown, *app.caption])


def test_captions_that_are_written_between_two_runs_are_shown(
    filled: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = page("generation")
    assert "A slow piece in A minor." not in html(app)
    with filled.app.begin() as connection:
        describe(connection)
    monkeypatch.setattr(current_state, "_change_mark", lambda: "written")
    assert "A slow piece in A minor." in html(app.run())


def test_ratings_are_averaged_in_their_own_table(filled: Database, tmp_path: Path) -> None:
    write_captions_and_clips(filled, tmp_path, RESYNTH)
    with filled.owner.begin() as connection:
        rate(connection, f"{HOSTILE} · resynth strong None 0", 7.25, 6.5, 5.75, 8.125)
        update_summaries(connection)
    shown = html(page("generation"))
    assert "CE, enjoyment<small>CC-BY-4.0</small>" in shown
    assert "7.25&nbsp;" in shown
    assert "<small>n = 1, 1 undefined</small>" in shown


def test_modes_are_drawn_and_listed_per_target(filled: Database, tmp_path: Path) -> None:
    write_captions_and_clips(filled, tmp_path, RESYNTH, Maker("musicgen", seeds=2))
    app = page("generation")
    table = app.dataframe[0].value
    assert len(table) == 2 * 3 * 2
    assert set(table["clips"]) == {1, 2}
    assert set(table["target"]) == {HOSTILE, "تجربة"}
    assert any("Melody accuracy of target and clip" in element.value for element in app.subheader)


def test_one_heatmap_is_drawn_of_the_metric_that_a_link_chooses(
    filled: Database, tmp_path: Path
) -> None:
    write_captions_and_clips(filled, tmp_path, RESYNTH)
    app = page("generation")
    assert not [each for each in app.segmented_control if each.key == "cells"]
    [chart] = heatmaps(app)
    assert chart.proto.alt.startswith("Melody accuracy of target and clip")
    with filled.owner.begin() as connection:
        rate(connection, f"{HOSTILE} · resynth strong None 0", 7.25, 6.5, 5.75, 8.125)
        update_summaries(connection)
    st.cache_data.clear()
    app = page("generation", cells="aesthetics_ce")
    assert app.segmented_control(key="cells").options == [
        "melody accuracy",
        *(name for _, name, _ in aesthetics_rating.AXES),
    ]
    [chart] = heatmaps(app)
    assert chart.proto.alt == "Aesthetics: CE, enjoyment, by target"


def test_a_page_of_captions_reads_only_its_captions(
    fresh_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    pieces = [Piece("target", f"t{index:02}", Path(f"/{index}.ogg")) for index in range(25)]
    with fresh_database.app.begin() as connection:
        fill(connection, [*pieces, PIECES[-1]], MODELS)
        describe(connection)
    read = []
    captions = queries.captions

    def counted_captions(**choice: Any) -> list[queries.Caption]:
        rows = captions(**choice)
        read.append([row.title for row in rows])
        return rows

    monkeypatch.setattr(queries, "captions", functools.wraps(captions)(counted_captions))
    assert page("generation").number_input(key="captions").value == 1
    page("generation", captions="2")
    assert read == [
        [f"t{index:02}" for index in range(20)],
        [f"t{index:02}" for index in range(20, 25)],
    ]


def test_melody_accuracy_is_drawn_for_pitched_targets_only(
    filled: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_captions_and_clips(filled, tmp_path, RESYNTH)
    with filled.owner.begin() as connection:
        connection.execute(
            text(
                """
                INSERT INTO mirpipe.metric (name, revision, spec)
                VALUES ('melody_accuracy_corrected', '1', '{"compares": "melodies"}')
                """
            )
        )
        connection.execute(
            text(
                """
                INSERT INTO mirpipe.pair_score
                    (metric_id, target_id, reference_id, excerpt_id, value, reason)
                SELECT k.metric_id, g.target_id, g.track_id, g.excerpt_id,
                    CASE WHEN t.voiced THEN 0.5 END, CASE WHEN NOT t.voiced THEN 'unpitched' END
                FROM mirpipe.metric k, mirpipe.generation g
                JOIN mirpipe.melody t ON t.track_id = g.target_id
                WHERE k.name = 'melody_accuracy_corrected'
                """
            )
        )
        update_summaries(connection)
    cells_by_title = {}
    monkeypatch.setattr(
        heatmap, "show_heatmap", lambda cells, *, title, **_: cells_by_title.update({title: cells})
    )
    app = page("generation", cells="melody_accuracy")
    [(title, cells)] = cells_by_title.items()
    assert title.startswith("Melody accuracy")
    assert {cell.column for cell in cells} == {HOSTILE}
    table = app.dataframe[0].value
    assert set(table.dropna(subset="melody_accuracy")["target"]) == {HOSTILE}
    assert len(table) > len(table.dropna(subset="melody_accuracy")) > 0
    assert any("unless both are pitched" in caption.value for caption in app.caption)
    head = re.findall(r"<thead>.*?</thead>", html(app))[0]
    assert "chance-corrected melody accuracy" in head
    assert "melody accuracy of all" not in head, "a mean with unpitched targets leads"
    assert "melody accuracy of all" in html(app)


def test_the_trade_off_of_guidance_is_drawn_if_both_were_measured(
    filled: Database, tmp_path: Path
) -> None:
    write_captions_and_clips(filled, tmp_path, Maker("musicgen"))
    assert not any(
        "What does guidance gain" in element.value for element in page("generation").markdown
    )
    with filled.owner.begin() as connection:
        for name in ("clap_text_score", "clap_similarity"):
            connection.execute(
                text(
                    "INSERT INTO mirpipe.run_generation_summary (run_id, generator_id, mode, "
                    "guidance, metric, n, undefined_n, mean, sd) SELECT DISTINCT run_id, "
                    "generator_id, mode, guidance, :name, 2, 0, guidance / 10, 0.0 "
                    "FROM mirpipe.run_generation_summary"
                ),
                {"name": name},
            )
    st.cache_data.clear()
    app = page("generation")
    assert any("What does guidance gain" in element.value for element in app.subheader)
    [curve] = [
        c.proto.spec for c in app.get("vega_lite_chart") if "caption and clip" in c.proto.spec
    ]
    assert "CLAP similarity of target and clip" in curve


def test_each_target_has_a_line_from_mode_to_mode(filled: Database, tmp_path: Path) -> None:
    write_captions_and_clips(filled, tmp_path, RESYNTH)
    app = page("generation", slope="cosine musicnn")
    [chart] = [c for c in app.get("vega_lite_chart") if "one line per target" in c.proto.alt]
    assert chart.proto.alt.startswith("cosine musicnn of the clips by resynth")
    scores = [
        score
        for score in queries.target_scores()
        if score.metric == "cosine musicnn" and score.value is not None
    ]
    points = slope_charts.slope_points(scores)
    assert sorted(points["value"]) == sorted(score.value for score in scores)
    modes = list(dict.fromkeys(points["mode"]))
    means = [row for row in queries.generation_summaries() if row.metric == "cosine musicnn"]
    drawn = slope_charts.slope_chart(points, means, modes, "cosine", 3)
    lines, _, mean_line = drawn.layer
    assert lines.to_dict()["encoding"]["x"]["scale"]["domain"] == modes
    assert list(mean_line.data["value"]) == [row.mean for row in means]


def test_clip_scores_of_chosen_targets_are_those_of_all_targets(
    filled: Database, tmp_path: Path
) -> None:
    write_captions_and_clips(filled, tmp_path, RESYNTH)
    everything = queries.target_scores()
    chosen = [everything[-1].target_id]
    expected = [score for score in everything if score.target_id in chosen]
    assert 0 < len(expected) < len(everything)
    assert queries.target_scores(chosen) == expected


def test_a_slope_chart_of_many_targets_has_at_most_sixty_lines() -> None:
    assert list(slope_charts.drawn_targets(range(150))) == list(range(0, 150, 3))
    assert list(slope_charts.drawn_targets(range(60))) == list(range(60))
    assert list(slope_charts.drawn_targets([])) == []


def test_a_generator_with_one_mode_has_no_slope_chart(filled: Database, tmp_path: Path) -> None:
    write_captions_and_clips(filled, tmp_path, Maker("resynth", UNGUIDED[:1]))
    app = page("generation")
    assert app.get("vega_lite_chart"), "the page draws nothing"
    assert not [c for c in app.get("vega_lite_chart") if "one line per target" in c.proto.alt]
