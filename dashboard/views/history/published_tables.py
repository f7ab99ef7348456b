"""The published tables: printed numbers, recomputed numbers, our own numbers, and claims."""

from collections import Counter
from collections.abc import Sequence

import streamlit as st

from dashboard.components import answer, markup, metric_labels, tables
from dashboard.components.csv_download import download_button
from dashboard.components.number_format import DASH, format_number
from dashboard.components.statistics_cells import (
    ESTABLISHED_WHEN,
    difference_cell,
    established_sentence,
)
from dashboard.data import cached_queries
from dashboard.data.published_baseline import published_baseline
from dashboard.views.history import published_and_own_means
from mirpipe.db.queries.page_answers import published_answer
from mirpipe.db.queries.published_results import (
    PublishedClaim,
    PublishedDifference,
    PublishedNumber,
)

TASKS = {"retrieval": "encoders", "generation": "modes"}
"""Title of the first column in the table of differences, by task."""
VERDICT_MARKS = {
    "stands": "✓",
    "arithmetic only": "≈",
    "not established": "?",
    "does not stand": "✗",
    "not measured": "–",
}


def section(key: cached_queries.RunKey | None) -> None:
    """Draw the published tables. `key` is None if there is no run of our own yet."""
    baseline = published_baseline()
    if not baseline.numbers:
        st.info("The published tables have not been imported.", icon=":material/library_books:")
        st.markdown("The tables are part of mirpipe. To import them:")
        st.code("mirpipe published import", language=None)
        return
    answer.show(published_answer(baseline.numbers, baseline.claims))
    st.caption(
        "An earlier evaluation published one result per target, for three encoders and three modes "
        "of generation. Names are as printed. Each row is a printed line, not a track."
    )
    printed_numbers(baseline.numbers)
    for task in TASKS:
        published = [mean for mean in baseline.means if mean.task == task]
        own = published_and_own_means.own_means(task, key)
        published_and_own_means.section(task, published, own)
    for task in TASKS:
        difference_section(task, [row for row in baseline.differences if row.task == task])
    claim_section(baseline.claims)


def printed_numbers(numbers: Sequence[PublishedNumber]) -> None:
    """Draw every printed number next to the number that is recomputed from the printed lines.

    A mean and its sd are on the same line.
    """
    st.header("Do the printed numbers follow from their lines?", anchor=False)
    agreeing = sum(number.agrees for number in numbers)
    st.markdown(f"{agreeing} of {len(numbers)} numbers do, to the last printed decimal.")
    st.caption("Each number is a mean, a population sd, or the change from one mode to another.")
    groups: dict[tuple[str | None, str | None, str], list[PublishedNumber]] = {}
    for number in numbers:
        key = (number.subject, number.than_subject, number.metric)
        groups.setdefault(key, []).append(number)
    lines = []
    for (subject, than_subject, metric), group in groups.items():
        unit = "%" if than_subject else ""
        printed = " ± ".join(number.printed.replace("-", "−") for number in group)
        recomputed = " ± ".join(
            format_number(number.recomputed, decimal_places(number.printed) + 1) for number in group
        )
        problems = "; ".join(
            number.discrepancy or "differs" for number in group if not number.agrees
        )
        name = f"{than_subject} → {subject}" if than_subject else subject or ""
        lines.append(
            [
                markup.no_wrap(name),
                markup.no_wrap(metric_labels.metric_label(metric)),
                printed + unit,
                recomputed + unit,
                markup.wide(f"✗ {problems}") if problems else markup.no_wrap("✓ agrees"),
            ]
        )
    columns = ["encoder or mode", "metric", "printed", "recomputed", "do they agree?"]
    name = "Printed numbers"
    markup.show(tables.html_table(name, columns, lines, numeric=(2, 3)))
    download_button(numbers, name=name)


def decimal_places(printed: str) -> int:
    """Return the number of decimals in a printed number."""
    return len(printed.partition(".")[2])


def difference_section(task: str, rows: Sequence[PublishedDifference]) -> None:
    """Draw the published differences for one task, and mark established differences."""
    if not rows:
        return
    st.header(f"Are the published {task} differences established?", anchor=False)
    st.markdown(established_sentence(sum(row.established for row in rows), len(rows)))
    st.caption(
        "Each cell shows the first value minus the second, paired over targets: the mean "
        "difference, its 95% interval, the number of targets (n), the number of targets for which "
        "the first value is higher, and the corrected p-value of a sign-flip test. "
        + ESTABLISHED_WHEN
    )
    metrics = list(dict.fromkeys(row.metric for row in rows))
    row_of = {(row.subject, row.than_subject, row.metric): row for row in rows}
    lines = []
    for first, second in dict.fromkeys((row.subject, row.than_subject) for row in rows):
        row_of_metric = [row_of.get((first, second, metric)) for metric in metrics]
        cells = [
            difference_cell(row, metric_labels.decimals(row.metric)) if row else DASH
            for row in row_of_metric
        ]
        lines.append([markup.no_wrap(f"{first} − {second}"), *cells])
    name = f"{task.capitalize()} published differences"
    columns = [TASKS[task], *map(metric_labels.metric_label, metrics)]
    markup.show(tables.html_table(name, columns, lines, numeric=range(1, len(columns))))
    download_button(rows, name=name)


def claim_section(claims: Sequence[PublishedClaim]) -> None:
    """Draw the published claims with a verdict and the numbers that it is based on."""
    if not claims:
        return
    st.header("Are the published claims supported?", anchor=False)
    verdicts = Counter(claim.verdict for claim in claims)
    st.markdown(", ".join(f"{verdict}: {n}" for verdict, n in verdicts.most_common()))
    lines = [
        [
            claim.section,
            markup.wide(claim.claim),
            markup.wide(claim.numbers),
            markup.no_wrap(f"{VERDICT_MARKS.get(claim.verdict, '')} {claim.verdict}"),
            markup.wide(claim.remark or ""),
        ]
        for claim in claims
    ]
    columns = ["about", "claim, in our words", "numbers from the lines", "verdict", "remark"]
    markup.show(tables.html_table("Published claims", columns, lines))
    download_button(claims, name="Published claims")
