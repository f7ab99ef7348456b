"""What Generation says over databases with, without and with odd clips."""

from pathlib import Path

import pytest
import streamlit as st
from sqlalchemy import text

from dashboard.components import heatmap
from mirpipe.generation.modes import Mode
from tests.dashboard.clips import UNGUIDED, Maker, describe, make, summarise
from tests.dashboard.filled import Model, Piece, fill, rate
from tests.dashboard.pages import DEMO, HOSTILE, SHOWN, page, written
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
    """Two targets, one reference and one encoder, and nothing made yet."""
    with fresh_database.app.begin() as connection:
        fill(connection, PIECES, MODELS)
    return fresh_database


def made(database: Database, folder: Path, *makers: Maker) -> None:
    """Captions every target and has every maker make its clips."""
    with database.app.begin() as connection:
        describe(connection)
        make(connection, makers, folder, SOUND)


def test_without_tracks_or_targets_it_says_how_to_add_some(
    fresh_database: Database,
) -> None:
    assert "mirpipe ingest" in page("generation").code[1].value
    with fresh_database.app.begin() as connection:
        fill(connection, [one for one in PIECES if one.collection == "reference"], MODELS)
    st.cache_data.clear()
    assert "no target" in page("generation").info[0].value


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
    made(filled, tmp_path, RESYNTH, Maker("musicgen", seeds=2))
    with filled.reader.connect() as connection:
        query = (
            "SELECT mean, sd FROM mirpipe.v_generation_summary "
            "WHERE generator = 'musicgen' AND mode = 'strong' AND metric = 'cosine musicnn'"
        )
        row = connection.execute(text(query)).one()
    shown = written(page("generation"))
    assert f"{row.mean:.3f}&nbsp;<span class='mp-muted'>±&nbsp;{row.sd:.3f}</span>" in shown
    assert "<small>n = 4</small>" in shown
    assert "<small>n = 1, 1 undefined</small>" in shown
    assert "cosine musicnn<small>CC-BY-NC-SA-4.0</small>" in shown
    assert "CC-BY-NC-4.0</td></tr>" in shown


def beside(*cells: str) -> str:
    """How these cells stand in a line of a table."""
    return "".join(f"<td><span class='mp-together'>{one}</span></td>" for one in cells)


def test_a_generator_without_guidance_says_none_and_has_no_chart(
    filled: Database, tmp_path: Path
) -> None:
    made(filled, tmp_path, RESYNTH)
    app = page("generation")
    assert beside("strong", "none") in written(app)
    assert beside("strong less medium") in written(app)
    assert "Guidance of" not in written(app)


def test_a_generator_with_guidance_has_a_chart_a_likeness(filled: Database, tmp_path: Path) -> None:
    sweep = Mode("sweep", is_conditioned=True, guidance=7.5)
    made(filled, tmp_path, RESYNTH, Maker("musicgen", [*Maker("").modes, sweep]))
    app = page("generation")
    shown = written(app)
    assert beside("sweep", "7.5") in shown
    assert beside("sweep (7.5) less strong (5)") in shown
    assert len(app.get("vega_lite_chart")) == 2 + 1  # and the heatmap of melody accuracy
    assert "Guidance of musicgen" in shown
    assert "Guidance of resynth" not in shown


def test_modes_are_compared_over_targets_and_chance_is_not_claimed(
    filled: Database, tmp_path: Path
) -> None:
    made(filled, tmp_path, RESYNTH)
    with filled.reader.connect() as connection:
        query = (
            "SELECT n, mean_difference, higher_n FROM mirpipe.v_generation_delta "
            "WHERE metric = 'cosine musicnn' AND mode = 'medium' AND than_mode = 'simple'"
        )
        row = connection.execute(text(query)).one()
    app = page("generation")
    mean = f"{row.mean_difference:.3f}".replace("-", "−")
    assert f"<td class='mp-number'><span>{mean}</span>" in written(app)
    assert f"<small>n = 2, higher at {row.higher_n}</small><small>p = " in written(app)
    assert "established" not in written(app)


def test_random_weights_are_marked_wherever_they_spoke(filled: Database, tmp_path: Path) -> None:
    made(filled, tmp_path, RESYNTH)
    assert "random weights" not in written(page("generation"))
    with filled.owner.begin() as connection:
        for table in ("captioner", "generator", "encoder"):
            connection.execute(
                text(
                    f"UPDATE mirpipe.{table} SET spec = "
                    "jsonb_set(spec, '{checkpoint}', '\"weights (random)\"')"
                )
            )
        summarise(connection)
    st.cache_data.clear()
    shown = written(page("generation"))
    badge = "<span class='mp-badge'>random weights</span>"
    assert f"Captions by teller {badge}" in shown
    assert shown.count(f"resynth</bdi></span><br>{badge}") == 6  # in two tables
    assert shown.count(f"<small>CC-BY-NC-SA-4.0</small>{badge}") == 2  # tables


def test_a_caption_stands_beside_what_was_measured(filled: Database, tmp_path: Path) -> None:
    made(filled, tmp_path, RESYNTH)
    shown = written(page("generation"))
    row = f"{SHOWN}</bdi></div></td><td><div class='mp-quote'><bdi>A slow piece"
    assert row in shown
    assert "Captions by teller" in shown
    assert "licence of weights: Tongyi" in shown
    assert "<td>120.4 BPM</td><td>4 beats a bar</td><td>A minor</td><td>80% of frames</td>" in shown
    assert "contradicts" not in shown
    assert "<td>–<small>no clear meter</small></td><td>–<small>unpitched</small></td>" in shown


def test_contradictions_are_marked_in_words(filled: Database) -> None:
    line = "tempo: says 90 BPM, measured 120.4 <b>"
    with filled.app.begin() as connection:
        describe(connection, contradictions=[line, "key: says C major, measured A minor"])
    shown = written(page("generation", contradictions="true"))
    assert "<strong>The caption contradicts the measurement</strong>" in shown
    assert "<li><bdi>tempo: says 90 BPM, measured 120.4 &lt;b&gt;</bdi></li>" in shown
    assert shown.count("<li>") == 2 * 2


def test_words_of_markup_show_as_they_are(filled: Database, tmp_path: Path) -> None:
    with filled.app.begin() as connection:
        describe(connection, caption=HOSTILE)
        make(connection, [RESYNTH], tmp_path, SOUND)
    app = page("generation")
    assert f"<bdi class='mp-title'>{SHOWN}</bdi>" in written(app)
    assert f"<div class='mp-quote'><bdi>{SHOWN}</bdi></div>" in written(app)
    assert not any(HOSTILE in one.value for one in [*app.markdown, *app.caption])


def test_what_models_rate_is_averaged_in_a_table_of_its_own(
    filled: Database, tmp_path: Path
) -> None:
    made(filled, tmp_path, RESYNTH)
    with filled.owner.begin() as connection:
        rate(connection, f"{HOSTILE} · resynth strong None 0", 7.25, 6.5, 5.75, 8.125)
        summarise(connection)
    shown = written(page("generation"))
    assert "CE, enjoyment<small>CC-BY-4.0</small>" in shown
    assert "7.25&nbsp;" in shown
    assert "<small>n = 1, 1 undefined</small>" in shown


def test_modes_are_drawn_target_by_target_and_listed(filled: Database, tmp_path: Path) -> None:
    made(filled, tmp_path, RESYNTH, Maker("musicgen", seeds=2))
    app = page("generation")
    table = app.dataframe[0].value
    assert len(table) == 2 * 3 * 2
    assert set(table["clips"]) == {1, 2}
    assert set(table["target"]) == {HOSTILE, "تجربة"}
    assert any("Melody accuracy of target and clip" in one.value for one in app.markdown)


def test_melody_accuracy_is_drawn_where_it_means_something(
    filled: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(filled, tmp_path, RESYNTH)
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
                INSERT INTO mirpipe.pair_score (metric_id, target_id, reference_id, value, reason)
                SELECT k.metric_id, g.target_id, g.track_id,
                    CASE WHEN t.voiced THEN 0.5 END, CASE WHEN NOT t.voiced THEN 'unpitched' END
                FROM mirpipe.metric k, mirpipe.generation g
                JOIN mirpipe.melody t ON t.track_id = g.target_id
                WHERE k.name = 'melody_accuracy_corrected'
                """
            )
        )
    drawn = {}
    monkeypatch.setattr(heatmap, "show", lambda cells, *, title, **_: drawn.update({title: cells}))
    page("generation")
    (cells,) = [cells for title, cells in drawn.items() if title.startswith("Melody accuracy")]
    assert {one.column for one in cells} == {HOSTILE}


def test_what_guidance_gains_and_costs_is_drawn_where_both_were_measured(
    filled: Database, tmp_path: Path
) -> None:
    made(filled, tmp_path, Maker("musicgen"))
    assert not any("What guidance gains" in one.value for one in page("generation").markdown)
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
    assert any("What guidance gains" in one.value for one in app.markdown)
    [curve] = [c.proto.spec for c in app.get("vega_lite_chart") if "words and clip" in c.proto.spec]
    assert "CLAP similarity of target and clip" in curve
