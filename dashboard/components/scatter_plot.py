"""A map of tracks: a dot a track, which a click chooses."""

from collections import Counter
from collections.abc import Sequence

import altair as alt
import pandas as pd

from dashboard.components.charts import GREY
from mirpipe.db.queries.embedding_maps import Map, Point

HEIGHT = 560
COLOURS = 6
"""As many as the theme has: the rarer values of a label share a grey."""
OTHERS, NONE = "others", "none"
CHOSEN = "track"
"""The name of what a click chooses."""


def coloured(points: Sequence[Point], label: str) -> list[str]:
    """What each point's colour stands for: its collection, or what it has of a label."""
    if label == "collection":
        return [point.collection for point in points]
    values = [point.labels.get(label) or NONE for point in points]
    frequent = {value for value, _ in Counter(values).most_common(COLOURS)}
    return [value if value in frequent else OTHERS for value in values]


def scatter(
    ground: Map, points: Sequence[Point], *, label: str, chosen: int | None
) -> alt.LayerChart:
    """The map; the chosen track's dot has a ring, and collections differ in shape, too."""
    data = pd.DataFrame(
        {
            "track_id": [point.track_id for point in points],
            "title": [point.title for point in points],
            "collection": [point.collection for point in points],
            "label": coloured(points, label),
            "x": [point.x for point in points],
            "y": [point.y for point in points],
        }
    )
    order = [one for one, _ in Counter(data["label"]).most_common() if one != OTHERS]
    greyed = [OTHERS] if OTHERS in set(data["label"]) else []
    legend = alt.Legend(title=None, orient="bottom", columns=3, labelLimit=180)
    if label == "collection":
        shape = alt.Shape("label:N", sort=order, scale=alt.Scale(domain=order), legend=legend)
    else:
        shape = alt.Shape("collection:N", legend=None)
    click = alt.selection_point(name=CHOSEN, fields=["track_id"], on="click", empty=False)
    base = alt.Chart(data).encode(
        x=alt.X("x:Q", title=f"{ground.spread_x:.0%} of the variance", axis=alt.Axis(labels=False)),
        y=alt.Y("y:Q", title=f"{ground.spread_y:.0%} of the variance", axis=alt.Axis(labels=False)),
    )
    known = base.transform_filter(alt.datum.label != OTHERS)
    dots = (
        known.mark_point(filled=True, size=55, opacity=0.85)
        .encode(
            color=alt.Color("label:N", sort=order, scale=alt.Scale(domain=order), legend=legend),
            shape=shape,
            tooltip=["title:N", "collection:N", alt.Tooltip("label:N", title=label)],
        )
        .add_params(click)
    )
    layers = [dots]
    if greyed:
        rest = base.transform_filter(alt.datum.label == OTHERS)
        layers.insert(
            0,
            rest.mark_point(filled=True, size=35, opacity=0.6, color=GREY).encode(
                shape=alt.Shape("collection:N", legend=None),
                tooltip=["title:N", "collection:N"],
            ),
        )
    if chosen is not None:
        ring = base.transform_filter(alt.datum.track_id == chosen)
        layers.append(ring.mark_point(filled=False, size=320, strokeWidth=3, color="#D55E00"))
    return alt.LayerChart(layer=layers, height=HEIGHT)
