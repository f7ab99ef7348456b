"""The comparison of two revisions as tables and sentences, and as an HTML page."""

from collections.abc import Iterator, Sequence

from rich.table import Table

from mirpipe.challengers.compare_revisions import ChangedTarget, RevisionComparison
from mirpipe.challengers.comparison_sentences import WORDS, comparison_sentences
from mirpipe.challengers.metric_changes import MetricChange
from mirpipe.cli.report_files import html_page
from mirpipe.cli.result_tables import Section
from mirpipe.cli.terminal_text import escape_markup, printable_title
from mirpipe.db.queries.metric_names import metric_name
from mirpipe.db.queries.number_text import number_text

_DASH = "–"
"""Cell of an undefined value."""


_REASONS = {
    "random_weights": "random weights",
    "own_vectors": "the metric compares vectors of this encoder",
    "unsearched_vectors": "vectors are not searched yet; run `mirpipe run`",
    "not_measured": "scores are missing",
    "no_metric": "there are no scores by a metric with this name",
    "no_shared_answers": "no target has answers by both revisions",
    "too_few_targets": "too few targets",
}


def comparison_sections(
    comparison: RevisionComparison, changed: Sequence[ChangedTarget]
) -> Iterator[Section]:
    """Yield the parts of a comparison. `changed` are its changed targets, with distinct titles."""
    old, new = comparison.old.label, comparison.new.label
    yield Section("", sentences=comparison_sentences(comparison))
    yield Section(
        f"Means over the shared targets: {new} minus {old}",
        _metric_table(comparison.metrics),
        remark="difference with its 95% interval; p is corrected for the other metrics",
    )
    yield Section("Revisions", _revision_table(comparison))
    if changed:
        yield Section("Targets that change most", _changed_table(comparison, changed))


def comparison_page(comparison: RevisionComparison, changed: Sequence[ChangedTarget]) -> str:
    """Return one HTML page with the tables, and players for the changed targets."""
    old, new = comparison.old.label, comparison.new.label
    answer = WORDS[comparison.old.kind].answer.capitalize()
    rows = []
    for each in changed:
        rows.append(
            {
                each.target_id: f"Target: {each.target}",
                each.old_id: f"{answer} ({old}): {each.old_title}",
                each.new_id: f"{answer} ({new}): {each.new_title}",
            }
        )
    return html_page(
        f"{old} and {new}", comparison_sections(comparison, changed), "Listen to the changes", rows
    )


def _metric_table(changes: Sequence[MetricChange]) -> Table:
    table = Table()
    table.add_column("metric")
    for heading in ("targets", "old", "new", "difference", "p", "margin"):
        table.add_column(heading, justify="right")
    table.add_column("verdict")
    for change in changes:
        verdict: str = change.verdict or ""
        if change.reason is not None and (change.verdict or change.n):
            verdict = f"{verdict} ({_REASONS[change.reason]})".strip()
        elif change.p_reason == "too_few_targets" and change.n:
            verdict = f"{verdict} (no p: too few targets differ)".strip()
        table.add_row(
            metric_name(change.metric),
            str(change.n),
            _number(change.old_mean),
            _number(change.new_mean),
            _difference(change),
            _number(change.p_adjusted),
            "" if change.margin is None else f"{change.margin:g}",
            verdict,
        )
    return table


def _difference(change: MetricChange) -> str:
    if change.difference is None:
        return _DASH
    difference = number_text(change.difference, "+.4f")
    if change.low is None or change.high is None:
        return difference
    return f"{difference}\n[{number_text(change.low, '+.4f')}, {number_text(change.high, '+.4f')}]"


def _number(value: float | None) -> str:
    return _DASH if value is None else number_text(value, ".4f")


def _revision_table(comparison: RevisionComparison) -> Table:
    table = Table()
    for heading in ("revision", "checkpoint", "licence\nof code", "licence\nof weights"):
        table.add_column(heading, overflow="fold")
    for heading in ("dimension", f"seconds\nper {WORDS[comparison.old.kind].item}"):
        table.add_column(heading, justify="right")
    table.add_column("peak\nmemory", justify="right")
    table.add_column("device")
    for each in (comparison.old, comparison.new):
        table.add_row(
            escape_markup(f"{each.label} (random weights)" if each.random else each.label),
            escape_markup(each.checkpoint or _DASH),
            escape_markup(each.licence_code or _DASH),
            escape_markup(each.licence_weights or _DASH),
            _DASH if each.dimension is None else str(each.dimension),
            _DASH if each.seconds_per_item is None else f"{each.seconds_per_item:.3g}",
            _DASH if each.peak_memory_bytes is None else f"{each.peak_memory_bytes / 1e9:.2f} GB",
            escape_markup(each.device or _DASH),
        )
    return table


def _changed_table(comparison: RevisionComparison, changed: Sequence[ChangedTarget]) -> Table:
    words = WORDS[comparison.old.kind]
    table = Table()
    for heading in ("target", f"old {words.answer}", f"new {words.answer}"):
        table.add_column(heading, overflow="fold")
    table.add_column("difference", justify="right")
    table.add_column(f"{words.same}\nin common", justify="right")
    for each in changed:
        table.add_row(
            printable_title(each.target),
            printable_title(each.old_title),
            printable_title(each.new_title),
            _DASH if each.difference is None else number_text(each.difference, "+.4f"),
            f"{each.common:.0%}",
        )
    return table
