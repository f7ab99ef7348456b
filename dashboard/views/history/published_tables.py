"""The published baseline: printed numbers beside what their lines give, and beside our own."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from dashboard.components import markup, metric_labels, tables
from dashboard.data import cached_queries
from dashboard.views.history import published_and_own_means
from mirpipe.db.queries import published_results
from mirpipe.db.queries.published_results import PublishedMean, PublishedNumber

TASKS = {"retrieval": "Retrieval", "generation": "Generation"}
MARKS = {
    "stands": "✓",
    "arithmetic only": "≈",
    "not established": "?",
    "does not stand": "✗",
    "not measured": "–",
}
"""Beside each verdict, in words too."""


@dataclass(frozen=True)
class Published:
    """All that was imported; empty lists before an import."""

    numbers: list[PublishedNumber]
    means: list[PublishedMean]
    differences: list[published_results.PublishedDifference]
    claims: list[published_results.PublishedClaim]


@st.cache_data(ttl=cached_queries.NOW_SECONDS, show_spinner=False)
def imported() -> Published:
    """What was imported, which is of no run, as of a moment ago."""
    return Published(
        published_results.published_numbers(),
        published_results.published_means(),
        published_results.published_differences(),
        published_results.published_claims(),
    )


def section(key: cached_queries.Key | None) -> None:
    """The baseline; `key` is None where no run of our own is there to stand beside it."""
    found = imported()
    if not found.numbers:
        st.info("The published tables are not loaded.", icon=":material/library_books:")
        st.markdown("They come with mirpipe. To load them:")
        st.code("mirpipe published import", language=None)
        return
    st.caption(
        "An earlier evaluation printed the result of every target: three encoders, three modes of "
        "generation. Its names are as printed, and a row is a printed line, never a track."
    )
    printed(found.numbers)
    for task in TASKS:
        means = [one for one in found.means if one.task == task]
        published_and_own_means.section(TASKS[task], means, published_and_own_means.ours(task, key))
    differences(found.differences)
    claims(found.claims)


def printed(numbers: Sequence[PublishedNumber]) -> None:
    """Every printed number and what the lines behind it give; a mean and its sd on one line."""
    agree = sum(one.agrees for one in numbers)
    st.subheader("Do the printed numbers follow from their lines?", anchor=False)
    st.caption(
        f"{agree} of {len(numbers)} do, to the last printed decimal. Mean ± sd, of the population, "
        "or the change from one mode to another."
    )
    grouped: dict[tuple[str | None, str | None, str], list[PublishedNumber]] = {}
    for one in numbers:
        grouped.setdefault((one.subject, one.than_subject, one.metric), []).append(one)
    lines = []
    for (subject, than, name), group in grouped.items():
        unit = " %" if than else ""
        as_printed = " ± ".join(one.printed.replace("-", "−") for one in group) + unit
        given = " ± ".join(
            markup.number(one.recomputed, decimals(one.printed) + 1) for one in group
        )
        wrong = "; ".join(one.discrepancy or "differs" for one in group if not one.agrees)
        lines.append(
            [
                markup.together(f"{than} → {subject}" if than else subject or ""),
                markup.together(metric_labels.named(name)),
                as_printed,
                given + unit,
                markup.roomy(f"✗ {wrong}") if wrong else markup.together("✓ follows"),
            ]
        )
    heads = ["of", "metric", "printed", "the lines give", "does it follow?"]
    name = "Printed numbers"
    markup.show(markup.table(name, heads, lines, numeric=(2, 3)))
    tables.download(numbers, name=name)


def decimals(number: str) -> int:
    """How many a number was printed with."""
    return len(number.partition(".")[2])


def differences(rows: Sequence[published_results.PublishedDifference]) -> None:
    """Which differences the published lines establish."""
    for task in TASKS:
        of_task = [one for one in rows if one.task == task]
        if not of_task:
            continue
        st.subheader(f"{TASKS[task]}: which published differences are established?", anchor=False)
        st.caption(
            "The first less the second, paired over targets: mean difference, its 95 % interval, "
            "at how many of n targets the first is higher, and p of a sign-flip test after Holm's "
            f"correction over {of_task[0].family_n} tests. ✓ established: p below 0.05."
        )
        metrics = list(dict.fromkeys(one.metric for one in of_task))
        found = {(one.subject, one.than_subject, one.metric): one for one in of_task}
        lines = []
        for first, second in dict.fromkeys((one.subject, one.than_subject) for one in of_task):
            cells = [
                markup.difference(one, metric_labels.decimals(one.metric)) if one else markup.DASH
                for one in (found.get((first, second, name)) for name in metrics)
            ]
            lines.append([markup.together(f"{first} less {second}"), *cells])
        name = f"{TASKS[task]} published differences"
        heads = ["of", *map(metric_labels.named, metrics)]
        markup.show(markup.table(name, heads, lines, numeric=range(1, len(heads))))
        tables.download(of_task, name=name)


def claims(rows: Sequence[published_results.PublishedClaim]) -> None:
    """What was concluded from the numbers, and what they say."""
    if not rows:
        return
    st.subheader("Do the published claims stand?", anchor=False)
    lines = [
        [
            one.section,
            markup.roomy(one.claim),
            markup.roomy(one.numbers),
            markup.together(f"{MARKS.get(one.verdict, '')} {one.verdict}"),
            markup.roomy(one.remark or ""),
        ]
        for one in rows
    ]
    heads = ["about", "claim, in our words", "what the lines say", "verdict", "remark"]
    markup.show(markup.table("Published claims", heads, lines))
    tables.download(rows, name="Published claims")
