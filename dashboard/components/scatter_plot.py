"""The scatter plot on the Map page: one dot per track, which the viewer can click."""

from collections import Counter
from collections.abc import Sequence

import altair as alt
import pandas as pd

from dashboard.components.charts import GREY
from mirpipe.db import queries

HEIGHT = 560
COLOURS = 6
"""Number of theme colours. The less frequent values of a label are drawn in grey."""
OTHERS, NONE = "others", "none"
SELECTION = "track"
"""Name of the chart's selection, which contains the clicked track."""
RING_COLOUR = "#D55E00"


def colour_groups(points: Sequence[queries.MapPoint], label: str) -> list[str]:
    """Return the group that determines the colour of each point.

    The group is the collection or the value of a label. A dot has only one colour, so a track with
    several genres is in the group of the genre that most tracks on the map have. All values except
    the most frequent ones are in the group "others".
    """
    if label == "collection":
        return [point.collection for point in points]
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
) -> alt.LayerChart:
    """Return the scatter plot, with dots coloured by `label`.

    Collections also differ in the shape of their dots. The chosen track is marked by a ring.
    """
    data = pd.DataFrame(
        {
            "track_id": [point.track_id for point in points],
            "title": [point.title for point in points],
            "collection": [point.collection for point in points],
            "label": colour_groups(points, label),
            "x": [point.x for point in points],
            "y": [point.y for point in points],
        }
    )
    order = [group for group, _ in Counter(data["label"]).most_common() if group != OTHERS]
    legend = alt.Legend(title=None, orient="bottom", columns=3, labelLimit=180)
    if label == "collection":
        shape = alt.Shape("label:N", sort=order, scale=alt.Scale(domain=order), legend=legend)
    else:
        shape = alt.Shape("collection:N", legend=None)
    click = alt.selection_point(name=SELECTION, fields=["track_id"], on="click", empty=False)
    hidden = alt.Axis(labels=False)
    base = alt.Chart(data).encode(
        x=alt.X("x:Q", title=f"{map_.spread_x:.0%} of the variance", axis=hidden),
        y=alt.Y("y:Q", title=f"{map_.spread_y:.0%} of the variance", axis=hidden),
    )
    coloured = base.transform_filter(alt.datum.label != OTHERS)
    dots = (
        coloured.mark_point(filled=True, size=55, opacity=0.85)
        .encode(
            color=alt.Color("label:N", sort=order, scale=alt.Scale(domain=order), legend=legend),
            shape=shape,
            tooltip=["title:N", "collection:N", alt.Tooltip("label:N", title=label)],
        )
        .add_params(click)
    )
    layers = [dots]
    if OTHERS in set(data["label"]):
        grey = base.transform_filter(alt.datum.label == OTHERS)
        layers.insert(
            0,
            grey.mark_point(filled=True, size=35, opacity=0.6, color=GREY).encode(
                shape=alt.Shape("collection:N", legend=None),
                tooltip=["title:N", "collection:N"],
            ),
        )
    if chosen_id is not None:
        ring = base.transform_filter(alt.datum.track_id == chosen_id)
        layers.append(ring.mark_point(filled=False, size=320, strokeWidth=3, color=RING_COLOUR))
    return alt.LayerChart(layer=layers, height=HEIGHT)
