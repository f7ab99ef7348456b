"""Map page: an encoder's space in two dimensions, with a player for the chosen track."""

from collections.abc import Sequence
from functools import partial

import pandas as pd
import streamlit as st

from dashboard.components import answer, empty_states, markup, on_demand, scatter_plot, tables
from dashboard.components.collection_names import collection_name
from dashboard.components.genre_and_instrument import genre_and_instrument
from dashboard.components.player import player
from dashboard.components.plugin_labels import licence_text, random_weights_badge
from dashboard.components.searched_choices import searched_choices
from dashboard.components.target_picker import TARGET_PARAMETER
from dashboard.components.track_link import address_of, link_value, linked_title, track_links
from dashboard.components.waveform_and_chroma import waveform_and_chroma
from dashboard.data import cached_queries, current_state
from mirpipe.db import queries
from mirpipe.db.queries.page_answers import closest_pair_answer, map_answer

TRACK_PARAMETER, CHART_KEY, PICKER_KEY = "track", "map", "map_track"


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


def take_click(points: Sequence[queries.MapPoint]) -> None:
    """Write the track that was clicked into the address."""
    point_of = {point.track_id: point for point in points}
    selection = getattr(st.session_state.get(CHART_KEY), "selection", {})
    for item in selection.get(scatter_plot.SELECTION) or []:
        if point := point_of.get(item.get("track_id")):
            st.query_params[TRACK_PARAMETER] = link_value(point.content_sha256)
            st.session_state[PICKER_KEY] = point.track_id


def take_choice(points: Sequence[queries.MapPoint]) -> None:
    """Write the track that was chosen by its title into the address, or remove it."""
    chosen = st.session_state[PICKER_KEY]
    for point in points:
        if point.track_id == chosen:
            st.query_params[TRACK_PARAMETER] = link_value(point.content_sha256)
            return
    st.query_params.pop(TRACK_PARAMETER, None)


def pick_track(points: Sequence[queries.MapPoint], chosen: queries.MapPoint | None) -> None:
    """Draw a selector of the tracks on the map. If there are many, a search shortens the list."""
    point_of = {point.track_id: point for point in points}
    current = None if chosen is None else chosen.track_id
    if st.session_state.get(PICKER_KEY) != current:
        st.session_state[PICKER_KEY] = current
    names = {
        track_id: f"{point.title} ({collection_name(point.collection)})"
        for track_id, point in sorted(point_of.items(), key=lambda item: item[1].title)
    }
    st.selectbox(
        "Find a track",
        searched_choices(names, current, label="Search the titles on the map", key="map_words"),
        format_func=names.__getitem__,
        index=None,
        placeholder="Type a part of the title",
        key=PICKER_KEY,
        on_change=take_choice,
        args=(points,),
    )


def linked_tracks(
    run: cached_queries.RunKey, encoder: str, chosen: queries.MapPoint | None
) -> dict[int, str]:
    """Return the matches by this encoder and the clips, if a target is chosen, by track id."""
    if chosen is None or chosen.collection != "target":
        return {}
    matches = cached_queries.matches(run, chosen.track_id, 10)
    clips = current_state.read(queries.clips_of_target, chosen.track_id)
    return {match.reference_id: "match" for match in matches if match.encoder == encoder} | {
        clip.track_id: "clip" for clip in clips
    }


def linked_point(points: Sequence[queries.MapPoint]) -> queries.MapPoint | None:
    """Return the point of the track in the address, or None.

    If several tracks have this content, the one that was chosen here comes first.
    """
    link = st.query_params.get(TRACK_PARAMETER)
    linked = [point for point in points if link_value(point.content_sha256) == link]
    picked = st.session_state.get(PICKER_KEY)
    return next((point for point in linked if point.track_id == picked), next(iter(linked), None))


def track_card(point: queries.MapPoint) -> None:
    """Draw the title, the pictures and the player of a track."""
    with st.container(border=True):
        markup.show(
            linked_title(point.title, address_of(point.collection, point.content_sha256)),
            markup.muted_line(collection_name(point.collection)),
            genre_and_instrument(point.labels),
        )
        picture = current_state.read(queries.pictures, [point.track_id]).get(point.track_id)
        markup.show(waveform_and_chroma(picture, name=point.title))
        files = current_state.read(queries.file_locations, [point.track_id]).get(point.track_id, [])
        player(files, name=point.title, picture=picture)
        if point.collection == "target":
            st.page_link(
                "views/listen/listen.py",
                label="Listen to its matches",
                icon=":material/headphones:",
                query_params={TARGET_PARAMETER: link_value(point.content_sha256)},
            )
            st.caption(
                "Solid lines lead to its first ten matches by this encoder, and dashed lines to "
                "its clips."
            )


def show_answer(run: cached_queries.RunKey, map_: queries.EmbeddingMap) -> None:
    """Draw the most similar pair, unless the weights are random, and what the axes show."""
    pair = None if map_.random else cached_queries.closest_pair(run, map_.encoder)
    named = {pair.target_id: pair.target, pair.reference_id: pair.reference} if pair else {}
    links = track_links(named)
    answer.show(
        closest_pair_answer(map_.encoder, pair),
        map_answer(map_),
        links=[(title, links.get(track_id)) for track_id, title in named.items()],
    )


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
        "components). Tracks that are close on the map may be far apart in other dimensions. A "
        "clip has the genre and the instrument of its target. Point at a dot to see the title. "
        "Click a dot, or type a title, to listen to the track. Hold Shift and turn the wheel to "
        "zoom, or drag to move the map."
    )


def point_table(points: Sequence[queries.MapPoint]) -> None:
    """Draw all points as a table."""
    rows = [
        {
            "title": point.title,
            "collection": collection_name(point.collection),
            **point.labels,
            "x": point.x,
            "y": point.y,
        }
        for point in points
    ]
    tables.sortable_table(
        pd.DataFrame(rows),
        name="Map",
        tracks={"title": [point.track_id for point in points]},
        decimals={"x": 4, "y": 4},
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
    show_answer(cached_queries.run_key(run), map_)
    if map_.random:
        markup.show(random_weights_badge(map_.encoder))
    explain(map_)
    chosen = linked_point(points)
    chart = scatter_plot.scatter_plot(
        map_,
        points,
        label=label or "collection",
        chosen_id=None if chosen is None else chosen.track_id,
        linked_ids=linked_tracks(cached_queries.run_key(run), map_.encoder, chosen),
    )
    drawing, beside = st.columns([7, 3])
    with drawing:
        st.altair_chart(
            chart,
            key=CHART_KEY,
            on_select=partial(take_click, points),
            selection_mode=scatter_plot.SELECTION,
            alt=f"Map of the {map_.encoder} space. Open the table below for the same points.",
        )
    with beside:
        pick_track(points, chosen)
        if chosen is not None:
            track_card(chosen)
    markup.show(markup.muted_line(licence_text(map_.licence_weights)))
    # The table is as large as the chart.
    on_demand.section("All points as a table", partial(point_table, points))


def main() -> None:
    """Draw the page, or a message if there is nothing to show."""
    st.title("Map", anchor=False)
    run = empty_states.latest_run()
    if run is None:
        return
    maps = cached_queries.maps(cached_queries.run_key(run))
    if not maps:
        empty_states.no_maps()
        return
    page(run, maps)


main()
