"""Tests of the clips on the Listen page."""

from pathlib import Path

import pytest
import streamlit as st
from sqlalchemy import text

from tests.dashboard.example_clips import UNGUIDED, Maker, describe, make
from tests.dashboard.example_library import Model, Piece, fill, rate, track
from tests.dashboard.open_page import DEMO, HOSTILE, html, link, page
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


def test_clips_without_a_run_have_players(filled: Database, tmp_path: Path) -> None:
    write_captions_and_clips(filled, tmp_path, RESYNTH)
    with filled.owner.begin() as connection:
        connection.execute(text("DELETE FROM mirpipe.run_generation_summary"))
        connection.execute(text("DELETE FROM mirpipe.embedding"))
    app = page("listen", target=link(filled, "تجربة"), show="clips")
    assert html(app).count("class='mp-play'") == 1 + 3
    assert html(app).count("<dt>cosine musicnn</dt><dd>–<small>not measured</small>") == 3


def test_an_unpitched_target_has_no_melody_accuracy(filled: Database, tmp_path: Path) -> None:
    write_captions_and_clips(filled, tmp_path, RESYNTH)
    with filled.owner.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO mirpipe.metric (name, revision, spec) "
            "SELECT name, '1', '{\"compares\": \"melodies\"}' FROM unnest(ARRAY["
            "'melody_accuracy_corrected', 'melody_accuracy_shifted', 'melody_oti']) name"
        )
        connection.exec_driver_sql(
            "INSERT INTO mirpipe.pair_score "
            "(metric_id, target_id, reference_id, excerpt_id, reason) "
            "SELECT metric_id, target_id, track_id, excerpt_id, 'unpitched' "
            "FROM mirpipe.metric, mirpipe.generation "
            "WHERE name ~ '^melody_(accuracy_|oti)'"
        )
    shown = html(page("listen", target=link(filled, "تجربة"), show="clips"))
    assert shown.count("<dt>melody scores</dt><dd>–<small>unpitched</small></dd>") == 3
    assert shown.count("<small>unpitched</small>") == 3, "each clip says it once"
    assert "data-title='resynth strong seed 0, generated from تجربة'" in shown


def test_every_seed_has_its_player_prompt_and_numbers(filled: Database, tmp_path: Path) -> None:
    write_captions_and_clips(filled, tmp_path, Maker("musicgen", seeds=2))
    with filled.owner.begin() as connection:
        rate(connection, f"{HOSTILE} · musicgen strong 5.0 1", 7.25, 6.5, 5.75, 8.125)
    app = page("listen", target=link(filled, HOSTILE), show="clips")
    shown = html(app)
    assert html(app).count("class='mp-play'") == 1 + 6
    assert shown.count("<bdi>seed 1</bdi></a>") == 3
    assert shown.count("<bdi>A slow piece in A minor. 120 BPM.</bdi>") == 4
    assert shown.count("<dt>cosine musicnn</dt>") == 6
    assert shown.count("<dt>CE</dt><dd>7.25</dd>") == 1
    assert "Licence of the weights: CC-BY-4.0" in shown


def test_a_target_without_clips_says_so(filled: Database, tmp_path: Path) -> None:
    write_captions_and_clips(filled, tmp_path, RESYNTH)
    with filled.app.begin() as connection:
        track(connection, Piece("target", "new"))
    st.cache_data.clear()
    app = page("listen", target=link(filled, "new"))
    assert "Nothing has been generated for this target" in app.info[-1].value


def test_the_target_stays_chosen_on_the_next_page(filled: Database) -> None:
    app = page("listen")
    target_link = link(filled, "تجربة")
    app.selectbox(key="target").set_value(target_link).run()
    app.query_params.clear()
    app.switch_page("views/overview/overview.py").run()
    app.switch_page("views/listen/listen.py").run()
    assert app.selectbox(key="target").value == target_link
    assert app.query_params["target"] in (target_link, [target_link])


def test_numbers_by_random_weights_are_marked(filled: Database, tmp_path: Path) -> None:
    write_captions_and_clips(filled, tmp_path, RESYNTH)
    with filled.owner.begin() as connection:
        for table in ("generator", "encoder"):
            connection.execute(
                text(f"UPDATE mirpipe.{table} SET spec = spec || '{{\"is_random\": true}}'")
            )
    shown = html(page("listen", show="clips"))
    assert "Clips by resynth <span class='mp-badge'>random weights</span>" in shown
    assert shown.count("<small>random weights</small>") == 3  # There is one cosine per clip.


def test_a_clip_of_a_long_target_shows_where_its_excerpt_starts(
    filled: Database, tmp_path: Path
) -> None:
    with filled.owner.begin() as connection:
        connection.execute(
            text("UPDATE mirpipe.track SET seconds = 100 WHERE title = :title"), {"title": HOSTILE}
        )
    write_captions_and_clips(filled, tmp_path, RESYNTH)
    shown = html(page("listen", target=link(filled, HOSTILE), show="clips"))
    assert shown.count("30 s, compared with the target from 35 s</span>") == 3
    assert "compared with" not in html(page("listen", target=link(filled, "تجربة"), show="clips"))


def test_spectrograms_of_target_and_clip_are_drawn_on_request(
    filled: Database, tmp_path: Path
) -> None:
    write_captions_and_clips(filled, tmp_path, RESYNTH)
    target = link(filled, HOSTILE)
    app = page("listen", target=target, show="clips")
    assert "alt='Spectrogram of" not in html(app), "a spectrogram was computed before a choice"
    app.selectbox(key="clip").select("resynth, simple, seed 0").run()
    assert html(app).count("alt='Spectrogram of") == 2
    assert "alt='Spectrogram of resynth, simple, seed 0:" in html(app)
    app = page("listen", target=target, clip="resynth, strong, seed 0")
    assert "alt='Spectrogram of resynth, strong, seed 0:" in html(app)
    app.selectbox(key="target").set_value(link(filled, "تجربة")).run()
    assert html(app).count("alt='Spectrogram of") == 2
    assert "alt='Spectrogram of تجربة:" in html(app)
