"""Map page: an encoder's space in two dimensions. Clicking a dot shows a player for the track."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from dashboard.components import empty_states, markup, scatter_plot, tables
from dashboard.components.genre_and_instrument import genre_and_instrument
from dashboard.components.player import player
from dashboard.components.plugin_labels import licence_text, random_weights_badge
from dashboard.components.target_picker import TARGET_PARAMETER, link_value
from dashboard.components.track_link import address_of, linked_title
from dashboard.components.waveform_and_chroma import waveform_and_chroma
from dashboard.data import cached_queries
from mirpipe.db import queries

TRACK_PARAMETER, CHART_KEY = "track", "map"


def choose_map(maps: Sequence[queries.EmbeddingMap]) -> queries.EmbeddingMap:
    """Draw the encoder selector and return the map of the chosen encoder."""
    map_of = {map_.encoder: map_ for map_ in maps}
    if st.session_state.get("encoder") not in map_of:
        st.session_state.pop("encoder", None)
    encoder = st.segmented_control(
        "Encoder",
        list(map_of),
        default=maps[0].encoder,
        key="encoder",
        bind="query-params",
        required=True,
    )
    return map_of[encoder or maps[0].encoder]


def colour_labels(points: Sequence[queries.MapPoint]) -> list[str]:
    """Return the choices for colouring: the collection, and the genre or instrument if known."""
    known = {label for point in points for label, value in point.labels.items() if value}
    return ["collection", *sorted(known & {"genre", "instrument"})]


def chosen_point(points: Sequence[queries.MapPoint]) -> queries.MapPoint | None:
    """Return the point of the track that was clicked last, or else of the track in the address."""
    point_of = {point.track_id: point for point in points}
    selection = getattr(st.session_state.get(CHART_KEY), "selection", {})
    for item in selection.get(scatter_plot.SELECTION) or []:
        if item.get("track_id") in point_of:
            clicked = point_of[item["track_id"]]
            st.query_params[TRACK_PARAMETER] = link_value(clicked.content_sha256)
            return clicked
    return linked_point(points)


def linked_point(points: Sequence[queries.MapPoint]) -> queries.MapPoint | None:
    """Return the point of the track in the address, or None."""
    link = st.query_params.get(TRACK_PARAMETER)
    return next((point for point in points if link_value(point.content_sha256) == link), None)


def track_card(point: queries.MapPoint) -> None:
    """Draw the title, the pictures and the player of a track."""
    with st.container(border=True):
        left, right = st.columns(2, vertical_alignment="center")
        with left:
            markup.show(
                linked_title(point.title, address_of(point.collection, point.content_sha256)),
                markup.muted_line(point.collection),
                genre_and_instrument(point.labels),
            )
            if point.collection == "target":
                st.page_link(
                    "views/listen/listen.py",
                    label="Listen to its matches",
                    icon=":material/headphones:",
                    query_params={TARGET_PARAMETER: link_value(point.content_sha256)},
                )
        with right:
            picture = queries.pictures([point.track_id]).get(point.track_id)
            markup.show(waveform_and_chroma(picture, name=point.title))
            files = queries.file_locations([point.track_id]).get(point.track_id, [])
            player(files, name=point.title, key="clicked")


def explain(map_: queries.EmbeddingMap) -> None:
    """State how many tracks are drawn, and explain the axes."""
    drawn = "Every track is drawn."
    if map_.points < map_.tracks:
        drawn = (
            f"{map_.points:,} of {map_.tracks:,} tracks are drawn: in each collection, the tracks "
            "with the lowest content hashes."
        )
    st.caption(
        f"{drawn} The axes are the two directions in which the references differ most (principal "
        "components). Tracks that are close on the map may be far apart in other dimensions. Point "
        "at a dot to see the title. Click a dot to listen to the track."
    )


def page(run: queries.Run, maps: Sequence[queries.EmbeddingMap]) -> None:
    """Draw the chosen map and the clicked track."""
    st.header("Which tracks are close to each other?", anchor=False)
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    with left:
        map_ = choose_map(maps)
    points = cached_queries.map_points(cached_queries.run_key(run), map_.encoder)
    with right:
        label = st.segmented_control(
            "Colour by",
            colour_labels(points),
            default="collection",
            key="colour",
            bind="query-params",
            required=True,
        )
    if map_.random:
        markup.show(random_weights_badge(map_.encoder))
    explain(map_)
    chosen = chosen_point(points)
    chart = scatter_plot.scatter_plot(
        map_,
        points,
        label=label or "collection",
        chosen_id=None if chosen is None else chosen.track_id,
    )
    st.altair_chart(
        chart,
        key=CHART_KEY,
        on_select="rerun",
        selection_mode=scatter_plot.SELECTION,
        alt=f"Map of the {map_.encoder} space. The table below contains the same points.",
    )
    if chosen is not None:
        track_card(chosen)
    markup.show(markup.muted_line(licence_text(map_.licence_weights)))
    rows = [
        {
            "title": point.title,
            "collection": point.collection,
            **point.labels,
            "x": point.x,
            "y": point.y,
        }
        for point in points
    ]
    with st.expander("All points as a table"):
        tables.sortable_table(
            pd.DataFrame(rows),
            name="Map",
            tracks={"title": [point.track_id for point in points]},
        )


def main() -> None:
    """Draw the page, or a message if there is nothing to show."""
    st.title("Map", anchor=False)
    run = queries.latest_run()
    if run is None:
        empty_states.no_results(has_tracks=bool(cached_queries.library_counts()))
        return
    maps = cached_queries.maps(cached_queries.run_key(run))
    if not maps:
        empty_states.no_maps()
        return
    page(run, maps)


main()
