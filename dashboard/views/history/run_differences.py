"""Differences between two runs: changed best matches with their causes, and changed summaries."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

import pandas as pd
import streamlit as st
from markupsafe import Markup

from dashboard.components import markup, metric_labels, tables
from dashboard.components.bar_list import Bar, bar_list
from dashboard.components.csv_download import download_button
from dashboard.components.number_format import DASH, format_number
from dashboard.components.page_choice import choose_page
from dashboard.components.plugin_labels import plugin_cell
from dashboard.data import cached_queries
from dashboard.views.history import track_differences
from mirpipe.db import queries
from mirpipe.db.queries.metric_names import NOT_SCORES

Pair = tuple[queries.PastSummary | None, queries.PastSummary | None]
"""The summary in the earlier and in the later run. It is None if the run does not contain it."""

ROWS_PER_PAGE = 200
NAME_COLUMNS = {"retrieval": "encoder", "generation": "generator and mode"}
"""Title of the table's first column, by task."""


def section(key: cached_queries.RunKey, then: queries.PastRun, now: queries.PastRun) -> None:
    """Draw all differences between the two runs."""
    counts = cached_queries.best_match_difference_counts(key, then.run_id, now.run_id)
    st.header("What changed, and why?", anchor=False)
    markup.show(
        markup.large_numbers(
            [
                count_and_change("references", then.references, now.references),
                count_and_change("targets", then.targets, now.targets),
                count_and_change("clips", then.clips, now.clips),
                (
                    "best matches that differ",
                    format_number(counts.n, 0),
                    "" if counts.n else "no changes",
                ),
            ]
        )
    )
    cause_chart(counts)
    track_differences.section(key, then, now)
    changed_matches(key, then.run_id, now.run_id, n=counts.n)
    if sentence := changed_rule(then, now):
        st.markdown(sentence)
    only_changed = st.toggle(
        "Show only summaries that changed", value=True, key="changed", bind="query-params"
    )
    for task in NAME_COLUMNS:
        rows = cached_queries.past_summaries(key, task, (then.run_id, now.run_id))
        if rows:
            pairs = pair_up(rows, then.run_id, now.run_id)
            summary_differences(task, pairs, only_changed=only_changed)


def changed_rule(then: queries.PastRun, now: queries.PastRun) -> str:
    """Return a sentence if same recordings count in only one of the runs, or an empty text."""
    if then.same_recording_counts == now.same_recording_counts:
        return ""
    counting, other = (then, now) if then.same_recording_counts else (now, then)
    return (
        f"In run {counting.run_id}, matches that are the same recording as their target count in "
        f"all averages. Run {other.run_id} leaves them out."
    )


def count_and_change(name: str, then: int, now: int) -> tuple[str, str, str]:
    """Return the name, the current number, and a remark with the earlier number."""
    remark = "unchanged" if then == now else f"was {then:,}"
    return name, format_number(now, 0), remark


def cause_chart(counts: queries.DifferenceCounts) -> None:
    """Draw how many best matches differ by cause, most frequent cause first, if any differ."""
    bars = [Bar(cause, n) for cause, n in Counter(counts.causes).most_common()]
    if not bars:
        return
    st.caption(
        "The number of best matches that differ, by the cause of their change. A best match that "
        "changed several times between the runs can have several causes."
    )
    markup.show(bar_list("Best matches that differ, by cause", bars))


def changed_matches(key: cached_queries.RunKey, then_id: int, now_id: int, *, n: int) -> None:
    """Draw one page of the `n` best matches that differ."""
    if not n:
        st.caption("Every target has the same best match in both runs, for every encoder.")
        return
    offset = (choose_page(n, ROWS_PER_PAGE, noun="best matches") - 1) * ROWS_PER_PAGE
    changes = cached_queries.best_match_differences(key, then_id, now_id, ROWS_PER_PAGE, offset)
    tables.sortable_table(
        _frame(changes),
        name="Best matches then and now",
        all_rows=lambda: _frame(queries.best_match_differences(then_id, now_id)),
        tracks=tables.track_ids(changes, target="target_id", then="before_id", now="after_id"),
        decimals={"cosine then": 4, "cosine now": 4},
    )


def _frame(changes: Sequence[queries.BestMatchDifference]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "target": [change.target for change in changes],
            "encoder": [change.encoder for change in changes],
            "then": [change.before for change in changes],
            "now": [change.after for change in changes],
            "why": [change.causes for change in changes],
            "cosine then": [change.cosine_before for change in changes],
            "cosine now": [change.cosine_after for change in changes],
        }
    )


def pair_up(
    rows: Sequence[queries.PastSummary], then_id: int, now_id: int
) -> dict[tuple[str, str], Pair]:
    """Return the earlier and the later summary by subject and metric, in the order of the rows."""
    row_of = {(row.run_id, row.subject, row.metric): row for row in rows}
    keys = dict.fromkeys((row.subject, row.metric) for row in rows if row.metric not in NOT_SCORES)
    return {key: (row_of.get((then_id, *key)), row_of.get((now_id, *key))) for key in keys}


def has_changed(pair: Pair) -> bool:
    """Return whether the two summaries differ in the numbers that are shown."""
    then, now = pair
    if then is None or now is None:
        return True
    decimals = metric_labels.decimals(now.metric)
    return summary_cell(then, decimals) != summary_cell(now, decimals)


def summary_differences(
    task: str, pairs: dict[tuple[str, str], Pair], *, only_changed: bool
) -> None:
    """Draw a table with one row per summary: the value then and now, and the change."""
    st.header(f"How did the {task} results change?", anchor=False)
    shown = {key: pair for key, pair in pairs.items() if has_changed(pair) or not only_changed}
    if not shown:
        st.caption("No summary has changed.")
        return
    st.caption(
        "Each cell shows the mean, its 95% interval over the targets of that run, and n. No "
        "test is applied to changes, because targets and library may differ between the runs."
    )
    lines = []
    for (subject, metric), (then, now) in shown.items():
        decimals = metric_labels.decimals(metric)
        cells = [summary_cell(row, decimals) for row in (then, now)]
        change = mean_change(then, now)
        label = markup.wide(
            Markup("{}").format(metric_labels.metric_label(metric))
            + markup.phone_line(means_in_words(then, now, change))
        )
        lines.append([subject_cell(subject, then, now), label, *cells, change])
    columns = [NAME_COLUMNS[task], "metric", "then", "now", "change"]
    title = f"{task.capitalize()} then and now"
    markup.show(tables.html_table(title, columns, lines, numeric=(2, 3, 4)))
    both = [asdict(row) for pair in shown.values() for row in pair if row]
    download_button(pd.DataFrame(both), name=title)


def subject_cell(
    subject: str, then: queries.PastSummary | None, now: queries.PastSummary | None
) -> Markup:
    """Return the subject's name, with marks for random weights and for different revisions."""
    random = any(row is not None and row.random for row in (then, now))
    name = plugin_cell(subject, random=random)
    if then and now and then.revision != now.revision:
        name += markup.small_line("different revision now")
    return name


def summary_cell(row: queries.PastSummary | None, decimals: int) -> Markup:
    """Return the mean, with the interval and n below it."""
    if row is None:
        return Markup(DASH)
    remark = f"n = {row.n}"
    if row.low is not None and row.high is not None:
        ends = (format_number(end, decimals) for end in (row.low, row.high))
        remark = f"{' … '.join(ends)}, {remark}"
    return Markup(format_number(row.mean, decimals)) + markup.small_line(remark)


def means_in_words(
    then: queries.PastSummary | None, now: queries.PastSummary | None, change: str
) -> str:
    """Return both means and the change in one line, for windows that are too narrow for columns."""
    before, after = (
        DASH if row is None else format_number(row.mean, metric_labels.decimals(row.metric))
        for row in (then, now)
    )
    return f"then {before}, now {after} ({change})"


def mean_change(then: queries.PastSummary | None, now: queries.PastSummary | None) -> str:
    """Return the change of the mean with its sign, or a dash if one of the means is missing.

    It is the difference of the rounded means, so that it never contradicts the means beside it.
    """
    if then is None or now is None or then.mean is None or now.mean is None:
        return DASH
    decimals = metric_labels.decimals(now.metric)
    change = round(round(now.mean, decimals) - round(then.mean, decimals), decimals)
    return ("+" if change > 0 else "") + format_number(change + 0.0, decimals)
