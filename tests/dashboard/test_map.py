"""Tests of the Map page: points, colours, and choosing a track by a click or a link."""

import json
from pathlib import Path

import pyarrow
import pytest
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from dashboard.components import scatter_plot
from mirpipe.db import queries
from mirpipe.db.queries import MapPoint
from mirpipe.stages.report import report
from mirpipe.stages.retrieve import retrieve
from tests.dashboard import example_clips
from tests.dashboard.example_maps import write_maps
from tests.dashboard.open_page import DEMO, HOSTILE, answer_of, html, link, page
from tests.support.databases import Database
from tests.support.synthetic_library import SyntheticLibrary


@pytest.fixture
def with_maps(filled: Database) -> Database:
    """Return the example library's database with one map per encoder."""
    with filled.owner.begin() as connection:
        write_maps(connection)
    return filled


def spec(app: object) -> dict:
    """Return the specification of the only chart on a page."""
    [chart] = app.get("vega_lite_chart")  # type: ignore[attr-defined]
    return json.loads(chart.proto.spec)


def test_without_a_map_the_page_names_the_next_command(filled: Database) -> None:
    app = page("map")
    assert "created no map" in app.info[0].value
    assert "mirpipe run" in app.code[0].value


def test_axes_show_the_variance_and_the_caption_the_number_of_points(with_maps: Database) -> None:
    app = page("map")
    assert "50% of the variance" in json.dumps(spec(app))
    assert "The two axes show 75% of the variance" in answer_of(app)
    assert any("Every track is drawn" in element.value for element in app.caption)
    with with_maps.owner.begin() as connection:
        connection.execute(text("UPDATE mirpipe.map SET tracks_n = 100000"))
        connection.execute(text("UPDATE mirpipe.run SET finished_at = finished_at + '1 s'"))
    notes = [element.value for element in page("map").caption]
    assert any("7 of 100,000 tracks are drawn" in note for note in notes)


def answer_with_targets(database: Database, *titles: str) -> AppTest:
    """Return the map of a library with the reference "near", and equally near targets."""
    library = SyntheticLibrary(database.app)
    library.add("reference", "east", [1, 0, 0])
    library.add("reference", "north", [0, 1, 0], title="near")
    library.add("target", "far", [0.4, 0.4, 1])
    for number, title in enumerate(titles):
        library.add("target", number, [0.1, 1, 0], title=title)
    retrieve()
    report(trigger="test")
    with database.owner.begin() as connection:
        write_maps(connection)
    return page("map")


def test_the_answer_names_the_most_similar_best_match(fresh_database: Database) -> None:
    app = answer_with_targets(fresh_database, "near")
    assert answer_of(app).startswith(
        "Of all best matches by made_up, the most similar pair is the target near (0) and the "
        "reference near (north), with a cosine of 0.995. The two axes"
    )
    assert html(app).count("class='mp-title mp-track' href='track?track=") == 2


def test_of_equally_similar_best_matches_one_is_an_example(fresh_database: Database) -> None:
    app = answer_with_targets(fresh_database, "a", "b")
    assert answer_of(app).startswith(
        "Of all best matches by made_up, 2 pairs have the highest cosine, 0.995, such as the "
        "target a and the reference near. The two axes"
    )


def test_random_weights_have_no_most_similar_pair(with_maps: Database) -> None:
    assert answer_of(page("map", encoder="untrained")).startswith("The two axes")


def test_the_table_has_minus_signs_and_numbers_that_can_be_sorted(with_maps: Database) -> None:
    app = page("map", encoder="musicnn")
    app.session_state["All points as a table"] = True
    app = app.run()
    [table] = app.dataframe
    points = sorted(queries.map_points("musicnn"), key=lambda point: point.track_id)
    x = [point.x for point in points]
    assert sorted(table.value["x"]) == pytest.approx(sorted(x))
    styled = pyarrow.ipc.open_stream(table.proto.arrow_data.styler.display_values).read_pandas()
    assert min(x) < 0
    shown = {float(text.replace("−", "-")) for text in styled["x"]}
    assert shown == {round(value, 4) for value in x}
    assert not any("-" in text for text in styled["x"])


def test_a_clip_has_the_labels_of_its_target(filled: Database, tmp_path: Path) -> None:
    with filled.app.begin() as connection:
        example_clips.describe(connection)
        maker = example_clips.Maker("model")
        example_clips.make(connection, [maker], tmp_path, DEMO / "target/Jazz 120 BPM.ogg")
    with filled.owner.begin() as connection:
        write_maps(connection)
    genres_of = {
        point.track_id: (point.collection, point.labels, point.genres)
        for point in queries.map_points("musicnn")
    }
    with filled.reader.connect() as connection:
        pairs = connection.execute(text("SELECT track_id, target_id FROM mirpipe.generation")).all()
    for clip, target in pairs:
        assert genres_of[clip] == ("generated", *genres_of[target][1:])
    assert ("generated", {"genre": "<i>jazz</i>"}, ["<i>jazz</i>"]) in genres_of.values()


def test_a_link_restores_encoder_colour_and_track(with_maps: Database) -> None:
    target_link = link(with_maps, HOSTILE)
    app = page("map", encoder="untrained", track=target_link, colour="genre")
    assert "untrained: random weights" in html(app)
    assert "**x** &lt;b&gt;$a$" in html(app)
    assert html(app).count("class='mp-play'") == 1
    assert app.query_params["track"] in (target_link, [target_link])


def test_a_track_is_found_by_its_title_and_lines_lead_from_a_target_to_its_matches(
    with_maps: Database,
) -> None:
    app = page("map", encoder="musicnn")
    picker = app.selectbox(key="map_track")
    assert picker.value is None
    assert rules(spec(app)) == []
    app = picker.select(next(id_ for id_ in track_ids(with_maps, "target"))).run()
    assert html(app).count("class='mp-play'") == 1
    assert app.query_params["track"]
    [lines] = rules(spec(app))
    [chart] = app.get("vega_lite_chart")
    content = {data.name: data.data.data for data in chart.proto.datasets}[lines["data"]["name"]]
    drawn = pyarrow.ipc.open_stream(content).read_all()["track_id"].to_pylist()
    assert drawn
    assert set(drawn) <= set(track_ids(with_maps, "reference"))
    app = app.selectbox(key="map_track").set_value(None).run()
    assert "track" not in app.query_params
    assert rules(spec(app)) == []


def test_of_two_tracks_with_the_same_file_the_chosen_one_is_shown(with_maps: Database) -> None:
    [target, *_] = track_ids(with_maps, "target")
    with with_maps.owner.begin() as owner:
        copy = text(
            "UPDATE mirpipe.track SET content_sha256 = (SELECT content_sha256 FROM mirpipe.track "
            "WHERE track_id = :target) WHERE track_id = :reference"
        )
        reference = track_ids(with_maps, "reference")[0]
        owner.execute(copy, {"target": target, "reference": reference})
    for track_id in (target, reference):
        app = page("map", encoder="musicnn").selectbox(key="map_track").select(track_id).run()
        assert app.selectbox(key="map_track").value == track_id


def rules(chart: dict) -> list[dict]:
    return [layer for layer in chart["layer"] if layer["mark"]["type"] == "rule"]


def track_ids(database: Database, collection: str) -> list[int]:
    with database.reader.connect() as connection:
        query = text("SELECT track_id FROM track WHERE collection = :collection ORDER BY 1")
        return list(connection.execute(query, {"collection": collection}).scalars())


def test_both_axes_have_the_same_scale_and_collections_keep_their_colours() -> None:
    points = [
        MapPoint(1, "", "", "target", {}, [], 0.0, 0.0),
        MapPoint(2, "", "", "generated", {}, [], 1.0, 3.0),
    ]
    map_ = queries.EmbeddingMap("musicnn", 2, 2, 0.5, 0.25, "none", random=False)
    chart = scatter_plot.scatter_plot(
        map_, points, label="collection", chosen_id=None, linked_ids={}
    ).to_dict()
    [dots] = chart["layer"]
    x, y = (dots["encoding"][axis]["scale"]["domain"] for axis in "xy")
    for width, height in ((900, 500), (300, 500)):
        (left, right), (bottom, top) = (
            [eval(end["expr"], {"max": max, "width": width, "height": height}) for end in domain]
            for domain in (x, y)
        )
        assert left < 0 < 1 < right
        assert bottom < 0 < 3 < top
        assert (right - left) / width == pytest.approx((top - bottom) / height)
    colour = dots["encoding"]["color"]
    assert colour["scale"]["domain"] == ["reference", "target", "clip"]
    assert colour["legend"]["orient"] == "top", "the legend is below a window of 720 pixels"
    assert colour["legend"]["values"] == ["target", "clip"]


def test_rare_values_share_one_colour() -> None:
    points = [
        MapPoint(index, "", "", "reference", {}, [f"g{index % 9}"], 0.0, 0.0) for index in range(90)
    ] + [MapPoint(99, "", "", "target", {}, [], 0.0, 0.0)]
    groups = scatter_plot.colour_groups(points, "genre")
    assert len(set(groups) - {scatter_plot.OTHERS}) == scatter_plot.COLOURS
    assert groups[-1] == scatter_plot.OTHERS
    assert set(scatter_plot.colour_groups(points, "collection")) == {"reference", "target"}


def test_a_track_with_several_genres_has_the_colour_of_the_most_frequent_one() -> None:
    points = [
        MapPoint(index, "", "", "reference", {}, genres, 0.0, 0.0)
        for index, genres in enumerate((["bossa nova", "jazz"], ["jazz"], ["rock"], []))
    ]
    groups = scatter_plot.colour_groups(points, "genre")
    assert groups == ["jazz", "jazz", "rock", scatter_plot.NONE]
