"""The main job runs with the offline encoders and with small, random versions of all large models.

Numbers from random weights say nothing about music. The tests check that all stages work with the
models, that the models' numbers are marked as random, and that no other number changes.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import streamlit as st
from sqlalchemy import Connection, text
from streamlit import config
from streamlit.testing.v1 import AppTest

from mirpipe.db.engine import close_engines
from mirpipe.settings import PROJECT, settings
from tests.e2e.conftest import REFERENCES, TARGETS, Installation, Up
from tests.support.random_weights import folder_of_weights

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1500)]

OFFLINE = ["musicnn", "signal"]
MODELS = ["clap", "music2latent", "muq"]
AXES = ["aesthetics_ce", "aesthetics_cu", "aesthetics_pc", "aesthetics_pq"]
TRACKS = len(REFERENCES) + len(TARGETS)


@pytest.fixture(scope="module")
def with_models(
    new_installation: Callable[[], Installation], models_python: Path
) -> tuple[Installation, Up]:
    """Return an installation that ran the main job with all encoders and Audiobox Aesthetics."""
    variables = {
        "MIRPIPE_STAND_INS": str(folder_of_weights()),
        "MIRPIPE_MODELS_PYTHON": str(models_python),
        "MIRPIPE_ENCODERS": ",".join([*OFFLINE, *MODELS]),
        "MIRPIPE_METRICS": "audiobox_aesthetics",
        "MIRPIPE_CAPTIONER": "",  # no generation, because each clip would also have to be embedded
    }
    installation = replace(new_installation(), settings=variables)
    up = Up(installation)
    try:
        assert up.wait(seconds=1200) == 0, up.text
    finally:
        up.close()
    return installation, up


@pytest.fixture(scope="module")
def connection(with_models: tuple[Installation, Up]) -> Iterator[Connection]:
    """Return a connection with read permission to the installation's database."""
    with with_models[0].read_connection() as reader:
        yield reader


def ask(connection: Connection, query: str) -> list[tuple]:
    return [tuple(row) for row in connection.execute(text(query))]


def offline_results(connection: Connection) -> list[list[tuple]]:
    """Return all matches and summaries of the offline encoders, without rounding."""
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


def test_every_track_has_a_vector_per_encoder_and_a_score_per_axis(
    connection: Connection,
) -> None:
    vectors = ask(
        connection,
        "SELECT name, count(*) FROM mirpipe.embedding JOIN mirpipe.encoder USING (encoder_id) "
        "WHERE collection <> 'generated' GROUP BY name",
    )
    assert dict(vectors) == dict.fromkeys([*OFFLINE, *MODELS], TRACKS)
    scores = ask(
        connection,
        "SELECT metric, count(value), count(DISTINCT value) > 1 FROM mirpipe.v_track_score "
        "WHERE collection <> 'generated' GROUP BY metric ORDER BY metric",
    )
    assert scores == [(axis, TRACKS, True) for axis in AXES]
    assert ask(connection, "SELECT * FROM mirpipe.v_pending") == []
    assert ask(connection, "SELECT * FROM mirpipe.v_failure") == []


def test_only_models_with_random_weights_are_marked_in_the_views(
    connection: Connection,
) -> None:
    marks = {name: name in MODELS for name in [*OFFLINE, *MODELS]}
    for view in ("v_encoder", "v_retrieval", "v_change"):
        rows = ask(connection, f"SELECT DISTINCT encoder, random FROM mirpipe.{view}")
        assert sorted(rows) == sorted(marks.items()), view
    for view in ("v_track_score", "v_aesthetics"):
        rows = ask(connection, f"SELECT DISTINCT random, licence_weights FROM mirpipe.{view}")
        assert rows == [(True, "none (random)")], view
    summaries = ask(
        connection,
        "SELECT DISTINCT encoder, metric LIKE 'aesthetics%' OR metric = 'clap_similarity', random "
        "FROM mirpipe.v_retrieval_summary",
    )
    expected = [(name, rated, rated or mark) for name, mark in marks.items() for rated in (0, 1)]
    assert sorted(summaries) == sorted(expected)


def test_the_models_do_not_change_the_results_of_the_offline_encoders(
    connection: Connection, undisturbed: tuple[Installation, Up]
) -> None:
    with_models = offline_results(connection)
    with undisturbed[0].read_connection() as other:
        assert with_models == offline_results(other)
    assert len(with_models[0]) == len(OFFLINE) * len(TARGETS) * len(REFERENCES)


def test_the_printed_summary_marks_models_with_random_weights(
    with_models: tuple[Installation, Up],
) -> None:
    output = with_models[1].text
    for name in MODELS:
        assert f"{name} (random weights)" in output
    assert "rated from 1 to 10 by a model with random weights" in output
    assert "musicnn (random weights)" not in output


@pytest.mark.parametrize("page", ["overview", "retrieval"])
def test_the_dashboard_marks_models_with_random_weights(
    page: str,
    connection: Connection,
    with_models: tuple[Installation, Up],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in with_models[0].environment.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    close_engines()
    st.cache_data.clear()
    config.set_option("server.address", "127.0.0.1")  # AppTest has no server.
    app = AppTest.from_file(str(PROJECT / "dashboard/app.py"), default_timeout=60)
    if page != "overview":
        app.switch_page(f"views/{page}/{page}.py")
    app.run()
    close_engines()
    assert not app.exception
    shown = " ".join(re.sub("<[^>]*>", " ", element.value) for element in app.html)
    words = " ".join(shown.split())
    for name in MODELS:
        assert f"{name} random weights" in words
    for name in OFFLINE:
        assert name in words
        assert f"{name} random weights" not in words
    assert ("Audiobox Aesthetics: random weights" in words) == (page == "retrieval")
