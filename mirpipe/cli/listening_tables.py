"""The results of a listening test as tables and sentences."""

from collections.abc import Iterator

from rich.table import Table

from mirpipe.cli.result_tables import Section
from mirpipe.cli.terminal_text import escape_markup
from mirpipe.db.queries.metric_names import metric_name
from mirpipe.db.queries.number_text import number_text
from mirpipe.listening import result_sentences as words
from mirpipe.listening.results import CriterionResult, ListeningResults

_DASH = "–"
"""Cell of an undefined value."""


def listening_sections(results: ListeningResults) -> Iterator[Section]:
    """Yield the parts of the results of a listening test: first the answer, then all numbers."""
    yield Section("", sentences=words.listening_answer(results))
    yield Section("", sentences=list(words.listener_sentences(results)))
    for criterion in results.criteria:
        title = words.criterion_title(results, criterion)
        yield Section(title, sentences=[words.agreement_sentence(criterion)])
        if not criterion.subjects:
            continue
        yield Section(
            "Strengths",
            _subject_table(criterion, has_ratings=results.kind == "rating"),
            remark=words.STRENGTHS_REMARK,
        )
        yield Section("Comparisons", _comparison_table(criterion), remark=words.COMPARISONS_REMARK)
        if criterion.metrics:
            yield Section(
                "How well metrics predict the votes",
                _metric_table(criterion),
                remark=words.METRICS_REMARK,
                sentences=[words.choice_sentences(results, criterion)],
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
            strength += f"\n({words.REASONS[each.reason]})"
        subject = f"{each.subject} (random)" if each.is_random else each.subject
        cells = [str(each.wins_n), str(each.losses_n), str(each.ties_n), strength]
        if has_ratings:
            cells.append(_number(each.mean_rating, each.rating_low, each.rating_high, ".2f"))
        table.add_row(escape_markup(subject), *cells)
    return table


def _comparison_table(criterion: CriterionResult) -> Table:
    table = Table()
    for heading in ("first", "second"):
        table.add_column(heading, overflow="fold")
    for heading in ("targets", "win rate", "p"):
        table.add_column(heading, justify="right")
    table.add_column("difference")
    for each in criterion.comparisons:
        table.add_row(
            escape_markup(each.first),
            escape_markup(each.second),
            str(each.n),
            _number(each.win_rate, each.low, each.high, ".2f"),
            _DASH if each.p_adjusted is None else f"{each.p_adjusted:.4f}",
            words.verdict_words(each),
        )
    return table


def _metric_table(criterion: CriterionResult) -> Table:
    table = Table("metric")
    for heading in ("questions", "targets", "accuracy", "correlation"):
        table.add_column(heading, justify="right")
    for each in criterion.metrics:
        found = each.prediction
        name = metric_name(each.metric)
        table.add_row(
            escape_markup(f"{name} (random)" if each.is_random else name),
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
        return number_text(value, form)
    interval = f"[{number_text(low, form)}, {number_text(high, form)}]"
    return f"{number_text(value, form)}\n{interval}"
