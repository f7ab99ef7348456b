"""The scatter plot on the Map page: one dot per track. The viewer can click a dot and zoom."""

from collections import Counter
from collections.abc import Mapping, Sequence

import altair as alt
import pandas as pd

from dashboard.components.charts import GREY, tooltips
from dashboard.components.collection_names import collection_name
from mirpipe.db import queries

HEIGHT = 560
COLOURS = 6
"""Number of theme colours. The less frequent values of a label are drawn in grey."""
OTHERS, NONE = "others", "none"
SELECTION = "track"
"""Name of the chart's selection, which contains the clicked track."""
RING_COLOUR = "#D55E00"
COLLECTIONS = ("reference", "target", "clip")
"""Collections in the order of their colours, which therefore never change."""
RELATIONS = ("match", "clip")
"""Relations of tracks to a target. Solid lines lead to matches, and dashed lines to clips."""
MARGIN = 0.05
"""Share of the map that is empty at each edge."""


def colour_groups(points: Sequence[queries.MapPoint], label: str) -> list[str]:
    """Return the group that determines the colour of each point.

    The group is the collection or the value of a label. A dot has only one colour, so a track with
    several genres is in the group of the genre that most tracks on the map have. All values except
    the most frequent ones are in the group "others".
    """
    if label == "collection":
        return [collection_name(point.collection) for point in points]
    tracks = Counter(value for point in points for value in _values(point, label))
    values = [
        min(_values(point, label), key=lambda value: (-tracks[value], value), default=NONE)
        for point in points
    ]
    frequent = {value for value, _ in Counter(values).most_common(COLOURS)}
    return [value if value in frequent else OTHERS for value in values]


def _values(point: queries.MapPoint, label: str) -> list[str]:
    if label == "genre":
        return point.genres
    return [point.labels[label]] if point.labels.get(label) else []


def scatter_plot(
    map_: queries.EmbeddingMap,
    points: Sequence[queries.MapPoint],
    *,
    label: str,
    chosen_id: int | None,
    linked_ids: Mapping[int, str],
) -> alt.LayerChart:
    """Return the scatter plot, with dots coloured by `label`.

    Collections also differ in the shape of their dots. The chosen track is marked by a ring, and
    lines lead from it to the tracks in `linked_ids`, which contains their relation by track id.
    """
    # The smaller types halve what is sent to the browser. A map has thousands of points.
    data = pd.DataFrame(
        {
            "track_id": [point.track_id for point in points],
            "title": [point.title for point in points],
            "collection": [collection_name(point.collection) for point in points],
            "label": colour_groups(points, label),
            "x": [point.x for point in points],
            "y": [point.y for point in points],
        }
    ).astype({"collection": "category", "label": "category", "x": "float32", "y": "float32"})
    present = set(data["label"])
    if label == "collection":
        order = list(COLLECTIONS)
    else:
        order = [group for group, _ in Counter(data["label"]).most_common() if group != OTHERS]
    legend = alt.Legend(
        title=None,
        orient="top",  # Below the plot, it would be below many windows.
        columns=3,
        labelLimit=180,
        values=[group for group in order if group in present],
    )
    if label == "collection":
        shape = alt.Shape("label:N", sort=order, scale=alt.Scale(domain=order), legend=legend)
    else:
        shape = alt.Shape("collection:N", sort=list(COLLECTIONS), legend=None)
    click = alt.selection_point(name=SELECTION, fields=["track_id"], on="click", empty=False)
    # The wheel scrolls the page, unless Shift is held.
    zoom = alt.selection_interval(
        bind="scales",
        zoom="wheel![event.shiftKey]",
        translate="[pointerdown[event.shiftKey], window:pointerup] > window:pointermove!",
    )
    domain_x, domain_y = _domains(data["x"], data["y"])
    hidden = alt.Axis(labels=False)
    x = alt.X(
        "x:Q",
        title=f"{map_.spread_x:.0%} of the variance",
        axis=hidden,
        scale=alt.Scale(domain=domain_x, nice=False),
    )
    y = alt.Y(
        "y:Q",
        title=f"{map_.spread_y:.0%} of the variance",
        axis=hidden,
        scale=alt.Scale(domain=domain_y, nice=False),
    )
    base = alt.Chart(data).encode(x=x, y=y)
    coloured = base.transform_filter(alt.datum.label != OTHERS)
    dots = (
        coloured.mark_point(filled=True, size=55, opacity=0.85)
        .encode(
            color=alt.Color("label:N", sort=order, scale=alt.Scale(domain=order), legend=legend),
            shape=shape,
            tooltip=[
                alt.Tooltip("title:N"),
                alt.Tooltip("collection:N"),
                alt.Tooltip("label:N", title=label),
            ],
        )
        .add_params(click, zoom)
    )
    layers = [dots]
    if chosen_id is not None and data["track_id"].isin(linked_ids).any():
        layers.insert(0, _lines(data, chosen_id, linked_ids, x, y))
    if OTHERS in set(data["label"]):
        grey = base.transform_filter(alt.datum.label == OTHERS)
        layers.insert(
            0,
            grey.mark_point(filled=True, size=35, opacity=0.6, color=GREY).encode(
                shape=alt.Shape("collection:N", sort=list(COLLECTIONS), legend=None),
                tooltip=tooltips("title:N", "collection:N"),
            ),
        )
    if chosen_id is not None:
        ring = base.transform_filter(alt.datum.track_id == chosen_id)
        layers.append(ring.mark_point(filled=False, size=320, strokeWidth=3, color=RING_COLOUR))
    return alt.LayerChart(layer=layers, height=HEIGHT)


def _domains(x: pd.Series, y: pd.Series) -> tuple[list[alt.ExprRef], list[alt.ExprRef]]:
    """Return the ranges of both axes, with all points inside.

    The browser computes them from the size of the drawn chart, so that a unit has the same number
    of pixels on both axes in every window.
    """
    spread_x, spread_y = (float(axis.max() - axis.min()) or 1.0 for axis in (x, y))
    units_per_pixel = f"{1 + 2 * MARGIN} * max({spread_x} / width, {spread_y} / height)"

    def ends(axis: pd.Series, pixels: str) -> list[alt.ExprRef]:
        middle = float(axis.max() + axis.min()) / 2
        half = f"{pixels} / 2 * {units_per_pixel}"
        return [alt.ExprRef(f"{middle} {sign} {half}") for sign in "-+"]

    return ends(x, "width"), ends(y, "height")


def _lines(
    data: pd.DataFrame, chosen_id: int, linked_ids: Mapping[int, str], x: alt.X, y: alt.Y
) -> alt.Chart:
    """Return the lines from the chosen track to the linked tracks that are on the map."""
    (chosen,) = data[data["track_id"] == chosen_id].to_dict("records")
    linked = data[data["track_id"].isin(linked_ids)][["track_id", "x", "y"]].assign(
        to_x=chosen["x"], to_y=chosen["y"]
    )
    linked["relation"] = linked["track_id"].map(linked_ids)
    lines: alt.Chart = (
        alt.Chart(linked)
        .mark_rule(strokeWidth=1.5, color=GREY)
        .encode(
            x=x,
            y=y,
            x2=alt.X2("to_x:Q"),
            y2=alt.Y2("to_y:Q"),
            strokeDash=alt.StrokeDash("relation:N", sort=list(RELATIONS), legend=None),
        )
    )
    return lines
