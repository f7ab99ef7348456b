"""Map: what is drawn, how it is coloured, and what a click or a link chooses."""

import json

import pytest
from sqlalchemy import text

from dashboard.components import scatter_plot
from mirpipe.db.queries.embedding_maps import Point
from tests.dashboard.drawn import maps
from tests.dashboard.pages import HOSTILE, link, page, written
from tests.support.databases import Database


@pytest.fixture
def drawn(filled: Database) -> Database:
    """The same library with a map of every encoder."""
    with filled.owner.begin() as connection:
        maps(connection)
    return filled


def spec(app: object) -> dict:
    [chart] = app.get("vega_lite_chart")  # type: ignore[attr-defined]
    return json.loads(chart.proto.spec)


def test_without_a_map_the_page_says_what_makes_one(filled: Database) -> None:
    app = page("map")
    assert "drew no map" in app.info[0].value
    assert "mirpipe run" in app.code[0].value


def test_axes_say_how_much_they_tell_and_the_caption_how_many_are_drawn(drawn: Database) -> None:
    app = page("map")
    assert "50% of the variance" in json.dumps(spec(app))
    assert any("Every track is drawn" in one.value for one in app.caption)
    with drawn.owner.begin() as connection:
        connection.execute(text("UPDATE mirpipe.map SET tracks_n = 100000"))
        connection.execute(text("UPDATE mirpipe.run SET finished_at = finished_at + '1 s'"))
    said = [one.value for one in page("map").caption]
    assert any("7 of 100,000 tracks are drawn" in one for one in said)


def test_a_link_restores_encoder_colour_and_track(drawn: Database) -> None:
    wanted = link(drawn, HOSTILE)
    app = page("map", encoder="stand-in", track=wanted, colour="genre")
    assert "stand-in: random weights" in written(app)
    assert "**x** &lt;b&gt;$a$" in written(app)
    assert len(app.get("audio")) == 1
    assert app.query_params["track"] in (wanted, [wanted])


def test_rare_values_share_one_colour() -> None:
    points = [
        Point(at, "", "", "reference", {"genre": f"g{at % 9}"}, 0.0, 0.0) for at in range(90)
    ] + [Point(99, "", "", "target", {}, 0.0, 0.0)]
    found = scatter_plot.coloured(points, "genre")
    assert len(set(found) - {scatter_plot.OTHERS}) == scatter_plot.COLOURS
    assert found[-1] == scatter_plot.OTHERS
    assert set(scatter_plot.coloured(points, "collection")) == {"reference", "target"}
