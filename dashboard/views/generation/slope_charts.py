"""Slope charts: how a metric changes from mode to mode, with one line per target."""

from collections.abc import Sequence

import altair as alt
import pandas as pd
import streamlit as st

from dashboard.components import metric_labels
from dashboard.components.charts import GREY, LINE_CHART_PIXELS, tooltips
from dashboard.components.link_values import accept_codes
from dashboard.components.mode_names import mode_with_guidance
from dashboard.components.plugin_labels import plugin_text
from dashboard.components.track_link import open_track
from dashboard.data import target_orders
from dashboard.data.cached_queries import RunKey
from dashboard.views.generation.meaningful_scores import meaningful_scores
from mirpipe.db import queries
from mirpipe.db.queries.metric_names import NOT_SCORES

MAX_LINES = 60
"""Largest number of targets that are drawn: more lines hide each other."""
CLICK = "target"
"""Name of the charts' selection, which contains the clicked target."""
MEAN_COLOUR = "#D55E00"


def section(
    run: RunKey,
    targets: Sequence[int],
    means: Sequence[queries.GenerationSummary],
    *,
    primary_metric: str,
) -> None:
    """Draw one chart per generator with several modes, for the metric that the viewer chooses.

    Of many targets, only every n-th is read and drawn.
    """
    scores = target_orders.target_scores(run, tuple(drawn_targets(targets)))
    modes_of: dict[str, dict[str, None]] = {}
    for score in scores:
        mode = mode_with_guidance(score.mode, score.guidance)
        modes_of.setdefault(score.generator, {})[mode] = None
    generators = {name: list(modes) for name, modes in modes_of.items() if len(modes) > 1}
    measured = {score.metric for score in scores if score.value is not None}
    metrics = sorted(measured.difference(NOT_SCORES), key=metric_labels.metric_label)
    if not generators or not metrics:
        return
    st.header("Which mode suits each target?", anchor=False)
    if st.session_state.get("slope") not in metrics:
        st.session_state.pop("slope", None)
    accept_codes("slope", metrics, metric_labels.single_value_label)
    metric = st.selectbox(
        "Metric of the lines",
        metrics,
        index=metrics.index(primary_metric) if primary_metric in metrics else 0,
        format_func=metric_labels.single_value_label,
        key="slope",
        bind="query-params",
        width=420,
    )
    st.caption(
        "Each grey line is a target: its value is the mean over the clips of all seeds. The orange "
        f"line is the mean over all targets. At most {MAX_LINES} targets are drawn. Click a dot to "
        "open the page of the target."
    )
    shown = [score for score in meaningful_scores(scores) if score.metric == metric]
    random = {row.generator for row in means if row.random}
    for column, (generator, modes) in zip(
        st.columns(len(generators), gap="medium"), generators.items(), strict=True
    ):
        own = [score for score in shown if score.generator == generator]
        mean_rows = [
            row
            for row in means
            if (row.generator, row.metric) == (generator, metric) and row.mean is not None
        ]
        with column:
            st.subheader(plugin_text(generator, random=generator in random), anchor=False)
            _draw(generator, slope_points(own), mean_rows, modes, metric)


def drawn_targets(targets: Sequence[int]) -> Sequence[int]:
    """Return every n-th target, at most `MAX_LINES`."""
    return targets[:: -(-len(targets) // MAX_LINES) or 1]


def slope_points(scores: Sequence[queries.TargetScore]) -> pd.DataFrame:
    """Return one row per target and mode with a value."""
    return pd.DataFrame(
        [
            {
                "target_id": score.target_id,
                "target": score.target,
                "mode": mode_with_guidance(score.mode, score.guidance),
                "value": score.value,
            }
            for score in scores
            if score.value is not None
        ]
    )


def _draw(
    generator: str,
    points: pd.DataFrame,
    means: Sequence[queries.GenerationSummary],
    modes: Sequence[str],
    metric: str,
) -> None:
    if points.empty:
        st.caption("There are no values yet.")
        return
    label = metric_labels.single_value_label(metric)
    event = st.altair_chart(
        slope_chart(points, means, modes, label, metric_labels.decimals(metric)),
        alt=f"{label} of the clips by {generator}: one line per target, from mode to mode",
        key=f"slopes {generator}",
        on_select="rerun",
        selection_mode=CLICK,
    )
    for clicked in event.selection.get(CLICK) or []:
        if clicked.get("target_id"):
            open_track(int(clicked["target_id"]))


def slope_chart(
    points: pd.DataFrame,
    means: Sequence[queries.GenerationSummary],
    modes: Sequence[str],
    label: str,
    decimals: int,
) -> alt.LayerChart:
    """Return the chart of the points of `slope_points`, with the modes in this order."""
    x = alt.X(
        "mode:N",
        sort=list(modes),
        title=None,
        scale=alt.Scale(domain=list(modes), padding=0.3),
        axis=alt.Axis(labelAngle=0, labelLimit=110),
    )
    y = alt.Y("value:Q", title=label, scale=alt.Scale(zero=False), axis=alt.Axis(tickCount=5))
    value = alt.Tooltip("value:Q", title=label, format=f".{decimals}f")
    targets = alt.Chart(points).encode(x=x, y=y, tooltip=[*tooltips("target:N", "mode:N"), value])
    click = alt.selection_point(name=CLICK, fields=["target_id"], on="click", empty=False)
    layers = [
        targets.mark_line(color=GREY, opacity=0.6, strokeWidth=1.5).encode(
            detail=alt.Detail("target_id:N")
        ),
        targets.mark_point(
            color=GREY, filled=True, opacity=0.8, size=35, cursor="pointer"
        ).add_params(click),
    ]
    if means:
        mean_points = pd.DataFrame(
            [
                {"mode": mode_with_guidance(row.mode, row.guidance), "value": row.mean, "n": row.n}
                for row in means
            ]
        )
        mean_line = alt.Chart(mean_points).mark_line(
            color=MEAN_COLOUR, strokeWidth=3, point={"size": 80, "color": MEAN_COLOUR}
        )
        layers.append(
            mean_line.encode(x=x, y=y, tooltip=[*tooltips("mode:N"), value, *tooltips("n:Q")])
        )
    return alt.LayerChart(layer=layers, height=LINE_CHART_PIXELS)
