"""The main job with every model beside the offline encoders, on small random weights.

Numbers of random weights say nothing about music: what is tested is that they come through the
whole pipeline, that they are marked wherever they are shown, and that they change no other number.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import streamlit as st
from sqlalchemy import Connection, text
from streamlit.testing.v1 import AppTest

from mirpipe.db.engine import forget_engines
from mirpipe.settings import PROJECT, settings
from tests.e2e.conftest import REFERENCES, TARGETS, Place, Up
from tests.support.random_weights import folder_of_weights

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1500)]

OFFLINE = ["musicnn", "signal"]
MODELS = ["clap", "music2latent", "muq"]
AXES = ["aesthetics_ce", "aesthetics_cu", "aesthetics_pc", "aesthetics_pq"]
TRACKS = len(REFERENCES) + len(TARGETS)


@pytest.fixture(scope="module")
def with_models(new_place: Callable[[], Place], models_python: Path) -> tuple[Place, Up]:
    """A place where the main job ran once with all five encoders and Audiobox Aesthetics."""
    chosen = {
        "MIRPIPE_STAND_INS": str(folder_of_weights()),
        "MIRPIPE_MODELS_PYTHON": str(models_python),
        "MIRPIPE_ENCODERS": ",".join([*OFFLINE, *MODELS]),
        "MIRPIPE_METRICS": "audiobox_aesthetics",
        "MIRPIPE_CAPTIONER": "",  # nothing is generated: clips would be embedded all over again
    }
    place = replace(new_place(), settings=chosen)
    up = Up(place)
    try:
        assert up.end(seconds=1200) == 0, up.text
    finally:
        up.close()
    return place, up


@pytest.fixture(scope="module")
def reading(with_models: tuple[Place, Up]) -> Iterator[Connection]:
    """A connection of the reader to that place's database, which runs meanwhile."""
    with with_models[0].reading() as connection:
        yield connection


def ask(connection: Connection, query: str) -> list[tuple]:
    return [tuple(row) for row in connection.execute(text(query))]


def offline_results(connection: Connection) -> list[list[tuple]]:
    """Every answer and summary of the offline encoders, to the bit."""
    return [
        ask(
            connection,
            "SELECT encoder, target, rank, reference, cosine, z, percentile, melody_accuracy, "
            "melody_reason, revision, licence_weights, random FROM mirpipe.v_retrieval "
            "WHERE encoder IN ('musicnn', 'signal') ORDER BY 1, 2, 3",
        ),
        ask(
            connection,
            "SELECT encoder, metric, n, undefined_n, mean, sd, random "
            "FROM mirpipe.v_retrieval_summary WHERE encoder IN ('musicnn', 'signal') "
            "AND metric NOT LIKE 'aesthetics%' AND metric <> 'clap_similarity' ORDER BY 1, 2",
        ),
    ]


def test_every_track_has_a_vector_of_each_encoder_and_a_score_on_each_axis(
    reading: Connection,
) -> None:
    vectors = ask(
        reading,
        "SELECT name, count(*) FROM mirpipe.embedding JOIN mirpipe.encoder USING (encoder_id) "
        "WHERE collection <> 'generated' GROUP BY name",
    )
    assert dict(vectors) == dict.fromkeys([*OFFLINE, *MODELS], TRACKS)
    scores = ask(
        reading,
        "SELECT metric, count(value), count(DISTINCT value) > 1 FROM mirpipe.v_track_score "
        "WHERE collection <> 'generated' GROUP BY metric ORDER BY metric",
    )
    assert scores == [(axis, TRACKS, True) for axis in AXES]
    assert ask(reading, "SELECT * FROM mirpipe.v_pending") == []
    assert ask(reading, "SELECT * FROM mirpipe.v_failure") == []


def test_models_on_random_weights_are_marked_in_every_view_and_no_other_is(
    reading: Connection,
) -> None:
    marks = {name: name in MODELS for name in [*OFFLINE, *MODELS]}
    for view in ("v_encoder", "v_retrieval", "v_change"):
        found = ask(reading, f"SELECT DISTINCT encoder, random FROM mirpipe.{view}")
        assert sorted(found) == sorted(marks.items()), view
    for view in ("v_track_score", "v_aesthetics"):
        found = ask(reading, f"SELECT DISTINCT random, licence_weights FROM mirpipe.{view}")
        assert found == [(True, "none (random)")], view
    summaries = ask(
        reading,
        "SELECT DISTINCT encoder, metric LIKE 'aesthetics%' OR metric = 'clap_similarity', random "
        "FROM mirpipe.v_retrieval_summary",
    )
    expected = [(name, rated, rated or mark) for name, mark in marks.items() for rated in (0, 1)]
    assert sorted(summaries) == sorted(expected)


def test_offline_encoders_answer_as_without_the_models(
    reading: Connection, undisturbed: tuple[Place, Up]
) -> None:
    with_models = offline_results(reading)
    with undisturbed[0].reading() as connection:
        assert with_models == offline_results(connection)
    assert len(with_models[0]) == len(OFFLINE) * len(TARGETS) * len(REFERENCES)


def test_the_summary_that_is_printed_marks_them(with_models: tuple[Place, Up]) -> None:
    said = with_models[1].text
    for name in MODELS:
        assert f"{name} (random weights)" in said
    assert "As a model with random weights rates it" in said
    assert "musicnn (random weights)" not in said


@pytest.mark.parametrize("page", ["overview", "retrieval"])
def test_the_dashboard_marks_them(
    page: str,
    reading: Connection,
    with_models: tuple[Place, Up],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in with_models[0].environment.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    forget_engines()
    st.cache_data.clear()
    app = AppTest.from_file(str(PROJECT / "dashboard/app.py"), default_timeout=60)
    if page != "overview":
        app.switch_page(f"views/{page}/{page}.py")
    app.run()
    forget_engines()
    assert not app.exception
    shown = " ".join(re.sub("<[^>]*>", " ", element.value) for element in app.html)
    said = " ".join(shown.split())
    for name in MODELS:
        assert f"{name} random weights" in said
    for name in OFFLINE:
        assert name in said
        assert f"{name} random weights" not in said
    assert ("Audiobox Aesthetics: random weights" in said) == (page == "retrieval")
