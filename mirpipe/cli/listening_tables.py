"""The results of a listening test as tables and sentences."""

from collections.abc import Iterator

from rich.table import Table

from mirpipe.cli.result_tables import Section
from mirpipe.cli.terminal_text import escape_markup
from mirpipe.db.queries.metric_names import metric_name
from mirpipe.listening.results import CriterionResult, ListeningResults

_DASH = "–"
"""Cell of an undefined value."""
_TITLES = {
    "similarity": "Which is more similar to the target?",
    "quality": "Which is better music?",
}
_REASONS = {
    "too_few_listeners": "too few listeners",
    "too_few_targets": "too few targets",
    "not_connected": "some subjects were never compared",
}


def listening_sections(results: ListeningResults) -> Iterator[Section]:
    """Yield the parts of the results of a listening test."""
    yield Section("", sentences=list(_sentences(results)))
    for criterion in results.criteria:
        title = _TITLES[criterion.criterion]
        if results.kind == "rating":
            title = "How similar is it to the target?"
        yield Section(title, sentences=[_agreement_sentence(criterion)])
        if not criterion.subjects:
            continue
        yield Section(
            "Strengths",
            _subject_table(criterion, has_ratings=results.kind == "rating"),
            remark="strength: logarithm of the strength in Davidson's model, with its 95 % "
            "interval over listeners",
        )
        yield Section(
            "Comparisons",
            _comparison_table(criterion),
            remark="win rate of the first over targets, with its 95 % interval; p is corrected for "
            "the other comparisons",
        )
        if criterion.metrics:
            yield Section(
                "How well metrics predict the votes",
                _metric_table(criterion),
                remark="accuracy: share of votes for the track that the metric prefers (0.5 by "
                "chance); correlation: Spearman's; both with 95 % intervals over targets",
                sentences=[
                    "If you choose the primary metric by this table, the choice is good for later "
                    "runs only: on the targets of these votes, the chosen metric looks better than "
                    "it is."
                ],
            )


def _sentences(results: ListeningResults) -> Iterator[str]:
    yield (
        f"Listening test {results.name}, run {results.run_id}: {results.listeners_n} listeners. "
        f"The order of the questions is {results.order}."
    )
    if results.controls_n:
        yield (
            f"{results.controls_passed_n} of {results.controls_n} controls were passed. "
            f"{results.left_out_n} listeners are left out, because they passed less than "
            f"{results.min_controls:.0%} of their controls."
        )
    if results.repeats_n:
        yield (
            f"{results.repeats_equal_n} of {results.repeats_n} repeats have the same answer as the "
            "first time."
        )
    if results.left_share is not None:
        yield f"{results.left_share:.0%} of the choices are for the left track."


def _agreement_sentence(criterion: CriterionResult) -> str:
    found = criterion.agreement
    if found.alpha is None:
        return f"{criterion.votes_n} votes. Too few listeners answered the same questions to agree."
    interval = "" if found.low is None else f" [{found.low:.2f}, {found.high:.2f}]"
    return (
        f"{criterion.votes_n} votes. Agreement between listeners (Krippendorff's alpha): "
        f"{found.alpha:.2f}{interval}, on {found.questions_n} questions."
    )


def _subject_table(criterion: CriterionResult, *, has_ratings: bool) -> Table:
    table = Table()
    table.add_column("subject", overflow="fold")
    headings = ["won", "lost", "neither", "strength", *(["mean rating"] if has_ratings else [])]
    for heading in headings:
        table.add_column(heading, justify="right")
    for each in criterion.subjects:
        strength = _number(each.log_strength, each.low, each.high, "+.2f")
        if each.reason is not None:
            strength += f"\n({_REASONS[each.reason]})"
        cells = [str(each.wins_n), str(each.losses_n), str(each.ties_n), strength]
        if has_ratings:
            cells.append(_number(each.mean_rating, each.rating_low, each.rating_high, ".2f"))
        table.add_row(escape_markup(each.subject), *cells)
    return table


def _comparison_table(criterion: CriterionResult) -> Table:
    table = Table()
    for heading in ("first", "second"):
        table.add_column(heading, overflow="fold")
    for heading in ("targets", "win rate", "p"):
        table.add_column(heading, justify="right")
    table.add_column("difference")
    for each in criterion.comparisons:
        words = "established" if each.established else "not established"
        if each.reason is not None:
            words = _REASONS.get(each.reason, each.reason)
        table.add_row(
            escape_markup(each.first),
            escape_markup(each.second),
            str(each.n),
            _number(each.win_rate, each.low, each.high, ".2f"),
            _DASH if each.p_adjusted is None else f"{each.p_adjusted:.4f}",
            words,
        )
    return table


def _metric_table(criterion: CriterionResult) -> Table:
    table = Table("metric")
    for heading in ("questions", "targets", "accuracy", "correlation"):
        table.add_column(heading, justify="right")
    for each in criterion.metrics:
        found = each.prediction
        table.add_row(
            escape_markup(metric_name(each.metric)),
            str(found.questions_n),
            str(found.targets_n),
            _number(found.accuracy, found.low, found.high, ".2f"),
            _number(found.correlation, found.correlation_low, found.correlation_high, "+.2f"),
        )
    return table


def _number(value: float | None, low: float | None, high: float | None, form: str) -> str:
    if value is None:
        return _DASH
    if low is None or high is None:
        return f"{value:{form}}"
    return f"{value:{form}}\n[{low:{form}}, {high:{form}}]"
