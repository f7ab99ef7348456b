"""Two runs beside each other: what changed and why, and every summary then and now."""

# ruff: noqa: ARG001  (Streamlit keys what it keeps by arguments, also by one that is not read)
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

import pandas as pd
import streamlit as st
from markupsafe import Markup

from dashboard.components import markup, metric_labels, tables
from dashboard.data import cached_queries
from mirpipe.db.queries import run_history
from mirpipe.db.queries.metric_names import BOUNDS

Pair = tuple[run_history.Past | None, run_history.Past | None]
"""A summary then and now; None: that run had none."""


@st.cache_data(max_entries=16, show_spinner=False)
def moved(run: cached_queries.Key, then: int, now: int) -> list[run_history.Moved]:
    """First answers that differ between two runs."""
    return run_history.moved(then, now)


@st.cache_data(max_entries=16, show_spinner=False)
def retrieval(run: cached_queries.Key, then: int, now: int) -> list[run_history.Past]:
    """The encoders' summaries of both runs."""
    return run_history.retrieval([then, now])


@st.cache_data(max_entries=16, show_spinner=False)
def generation(run: cached_queries.Key, then: int, now: int) -> list[run_history.Past]:
    """The modes' summaries of both runs."""
    return run_history.generation([then, now])


def results(key: cached_queries.Key, then: run_history.Moment, now: run_history.Moment) -> None:
    """All that two runs differ in."""
    changes = moved(key, then.run_id, now.run_id)
    st.subheader("What changed, and why?", anchor=False)
    markup.show(
        markup.figures(
            [
                counted("references", then.references, now.references),
                counted("targets", then.targets, now.targets),
                counted("clips", then.clips, now.clips),
                ("first answers that differ", markup.number(len(changes), 0), why(changes)),
            ]
        )
    )
    answers(changes)
    only = st.toggle("Only summaries that changed", value=True, key="changed", bind="query-params")
    for name, rows in (
        ("Retrieval", retrieval(key, then.run_id, now.run_id)),
        ("Generation", generation(key, then.run_id, now.run_id)),
    ):
        if rows:
            summaries(name, paired(rows, then.run_id, now.run_id), only=only)


def counted(name: str, then: int, now: int) -> tuple[str, str, str]:
    """A number of tracks now, and how many there were then."""
    remark = "as then" if then == now else f"{then:,} then"
    return name, markup.number(now, 0), remark


def why(changes: Sequence[run_history.Moved]) -> str:
    """How often each cause is among the changes."""
    causes = Counter(cause for one in changes for cause in set(one.causes.split(", ")) if cause)
    return ", ".join(f"{cause}: {n:,}" for cause, n in causes.most_common()) or "nothing moved"


def answers(changes: Sequence[run_history.Moved]) -> None:
    """Which first answers differ."""
    if not changes:
        st.caption("Every target has the same first answer in both runs, by every encoder.")
        return
    if len(changes) == run_history.MOST_CHANGES:
        st.caption(f"More than {run_history.MOST_CHANGES:,} differ; these are the first.")
    data = pd.DataFrame([asdict(one) for one in changes])
    data = data.rename(columns={"before": "then", "after": "now", "causes": "why"})
    data = data.rename(columns={"cosine_before": "cosine then", "cosine_after": "cosine now"})
    number = st.column_config.NumberColumn(format="%.4f")
    tables.frame(
        data[["target", "encoder", "then", "now", "why", "cosine then", "cosine now"]],
        name="First answers then and now",
        columns={"cosine then": number, "cosine now": number},
    )


def paired(rows: Sequence[run_history.Past], then: int, now: int) -> dict[tuple[str, str], Pair]:
    """By subject and metric the summary then and now, in the order of the rows."""
    found = {(row.run_id, row.subject, row.metric): row for row in rows}
    keys = dict.fromkeys((row.subject, row.metric) for row in rows if row.metric not in BOUNDS)
    return {key: (found.get((then, *key)), found.get((now, *key))) for key in keys}


def differ(pair: Pair) -> bool:
    """Whether a summary reads otherwise now."""
    then, now = pair
    if then is None or now is None:
        return True
    decimals = metric_labels.decimals(now.metric)
    return averaged(then, decimals) != averaged(now, decimals)


def summaries(name: str, pairs: dict[tuple[str, str], Pair], *, only: bool) -> None:
    """A line a subject and metric: then, now, and how far it moved."""
    st.subheader(f"{name}, then and now", anchor=False)
    shown = {key: pair for key, pair in pairs.items() if differ(pair) or not only}
    if not shown:
        st.caption("Every summary is as it was.")
        return
    st.caption(
        "Mean, its 95 % interval over the targets of that time, and n. The change itself is not "
        "tested: targets and library may both be others."
    )
    lines = []
    for (subject, one), (then, now) in shown.items():
        decimals = metric_labels.decimals(one)
        cells = [averaged(row, decimals) for row in (then, now)]
        name_of = markup.together(metric_labels.named(one))
        lines.append([marked(subject, then, now), name_of, *cells, change(then, now)])
    heads = ["of", "metric", "then", "now", "change"]
    title = f"{name} then and now"
    markup.show(markup.table(title, heads, lines, numeric=(2, 3, 4)))
    both = [asdict(row) for pair in shown.values() for row in pair if row]
    tables.download(pd.DataFrame(both), name=title)


def marked(subject: str, then: run_history.Past | None, now: run_history.Past | None) -> Markup:
    """Whose summary it is, and whether by random weights or by two revisions."""
    name = markup.together(markup.title(subject))
    if any(row and row.random for row in (then, now)):
        name += Markup("<br>") + markup.badge(markup.RANDOM)
    if then and now and then.revision != now.revision:
        name += markup.small("another revision now")
    return name


def averaged(row: run_history.Past | None, decimals: int) -> Markup:
    """A mean above its interval and n."""
    if row is None:
        return Markup(markup.DASH)
    remark = f"n = {row.n}"
    if row.low is not None and row.high is not None:
        ends = (markup.number(end, decimals) for end in (row.low, row.high))
        remark = f"{' … '.join(ends)}, {remark}"
    return Markup(markup.number(row.mean, decimals)) + markup.small(remark)


def change(then: run_history.Past | None, now: run_history.Past | None) -> str:
    """How far a mean moved, with its sign; a dash where one is missing."""
    if then is None or now is None or then.mean is None or now.mean is None:
        return markup.DASH
    decimals = metric_labels.decimals(now.metric)
    moved_by = round(now.mean - then.mean, decimals)
    return ("+" if moved_by > 0 else "") + markup.number(moved_by + 0.0, decimals)
