"""Map: an encoder's space in two dimensions, to look around in and to hear what lies where."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from dashboard.components import empty_states, markup, scatter_plot, tables
from dashboard.components.player import player
from dashboard.components.target_picker import LINK_DIGITS, described
from dashboard.components.waveform_and_chroma import pictures
from dashboard.data import cached_queries
from mirpipe.db import queries
from mirpipe.db.queries.embedding_maps import Map, Point

TRACK, CHART = "track", "map"


def choose(maps: Sequence[Map]) -> Map:
    """The map of the encoder that the address names, else the first."""
    by_name = {one.encoder: one for one in maps}
    if st.session_state.get("encoder") not in by_name:
        st.session_state.pop("encoder", None)
    encoder = st.segmented_control(
        "Space of",
        list(by_name),
        default=maps[0].encoder,
        key="encoder",
        bind="query-params",
        required=True,
    )
    return by_name[encoder or maps[0].encoder]


def labels(points: Sequence[Point]) -> list[str]:
    """What can be coloured by: the collection, and labels that many tracks carry."""
    counted = {"collection": 0}
    for point in points:
        for label, value in point.labels.items():
            if value:
                counted[label] = counted.get(label, 0) + 1
    common = [label for label, n in counted.items() if label in ("genre", "instrument")]
    return ["collection", *sorted(common)]


def chosen_of(points: Sequence[Point]) -> Point | None:
    """The track that was clicked last, else the one that the address names."""
    by_id = {point.track_id: point for point in points}
    selection = getattr(st.session_state.get(CHART), "selection", {})
    for one in selection.get(scatter_plot.CHOSEN) or []:
        if one.get("track_id") in by_id:
            clicked = by_id[one["track_id"]]
            st.query_params[TRACK] = clicked.content_sha256[:LINK_DIGITS]
            return clicked
    return linked(points)


def linked(points: Sequence[Point]) -> Point | None:
    """The track that the address names."""
    wanted = st.query_params.get(TRACK)
    found = [point for point in points if point.content_sha256[:LINK_DIGITS] == wanted]
    return found[0] if found else None


def about(point: Point) -> None:
    """What was clicked: its title, its pictures and its player."""
    with st.container(border=True):
        name, sound = st.columns(2, vertical_alignment="center")
        with name:
            markup.show(
                markup.title(point.title), markup.line(point.collection), described(point.labels)
            )
            if point.collection == "target":
                st.page_link(
                    "views/listen/listen.py",
                    label="Listen beside its answers",
                    icon=":material/headphones:",
                    query_params={"target": point.content_sha256[:LINK_DIGITS]},
                )
        with sound:
            drawn = queries.pictures([point.track_id])
            markup.show(pictures(drawn.get(point.track_id), name=point.title))
            files = queries.live_files([point.track_id]).get(point.track_id, [])
            player(files, name=point.title, key="clicked")


def page(run: queries.Run, maps: Sequence[Map]) -> None:
    """A chosen map, coloured, and what was clicked on it."""
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    with left:
        ground = choose(maps)
    points = cached_queries.points(cached_queries.key(run), ground.encoder)
    with right:
        label = st.segmented_control(
            "Colour by",
            labels(points),
            default="collection",
            key="colour",
            bind="query-params",
            required=True,
        )
    if ground.random:
        markup.show(markup.badge(f"{ground.encoder}: {markup.RANDOM}"))
    drawn = "Every track is drawn. "
    if ground.points < ground.tracks:
        drawn = (
            f"{ground.points:,} of {ground.tracks:,} tracks are drawn: of each collection those of "
            "the lowest content hashes. "
        )
    st.caption(
        drawn
        + "The two directions in which the references differ most (principal components); what "
        "lies close together here may lie far apart in the others. Point at a dot to read its "
        "title, click to hear it."
    )
    chosen = chosen_of(points)
    chart = scatter_plot.scatter(
        ground,
        points,
        label=label or "collection",
        chosen=None if chosen is None else chosen.track_id,
    )
    st.altair_chart(
        chart,
        key=CHART,
        on_select="rerun",
        selection_mode=scatter_plot.CHOSEN,
        alt=f"Map of the space of {ground.encoder}; the table below holds the same",
    )
    if chosen is not None:
        about(chosen)
    markup.show(markup.line(f"licence of weights: {ground.licence_weights or 'not stated'}"))
    rows = [
        {"title": p.title, "collection": p.collection, **p.labels, "x": p.x, "y": p.y}
        for p in points
    ]
    with st.expander("The points as a table"):
        tables.frame(pd.DataFrame(rows), name="Map")


def main() -> None:
    """The page, as far as there is something to show."""
    st.title("Map", anchor=False)
    run = queries.latest_run()
    if run is None:
        if cached_queries.library():
            empty_states.results()
        else:
            empty_states.library()
        return
    maps = cached_queries.maps(cached_queries.key(run))
    if not maps:
        empty_states.maps()
        return
    page(run, maps)


main()
