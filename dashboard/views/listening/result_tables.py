"""Tables of the results of a listening test: strengths, comparisons and metrics."""

from collections.abc import Sequence

from markupsafe import Markup, escape

from dashboard.components import markup, metric_labels, tables
from dashboard.components.number_format import DASH, format_number
from dashboard.components.plugin_labels import RANDOM_WEIGHTS
from dashboard.components.statistics_cells import interval
from mirpipe.db.queries.listening_tests import ListeningTest
from mirpipe.listening import result_sentences as words
from mirpipe.listening.results import CriterionResult

DECIMALS = 2


def subject_table(criterion: CriterionResult, *, has_ratings: bool) -> Markup:
    """Return a table with the votes and the strength of each encoder or mode."""
    lines = []
    for each in criterion.subjects:
        strength = _number(each.log_strength, each.low, each.high)
        if each.reason is not None:
            strength += markup.small_line(words.REASONS.get(each.reason, each.reason))
        line = [
            _name(each.subject, random=each.is_random),
            *(format_number(n, 0) for n in (each.wins_n, each.losses_n, each.ties_n)),
            strength,
        ]
        if has_ratings:
            line.append(_number(each.mean_rating, each.rating_low, each.rating_high))
        lines.append(line)
    columns = ["subject", "won", "lost", "neither", "strength"]
    columns += ["mean rating"] if has_ratings else []
    name = f"Strengths, {criterion.criterion}"
    return tables.html_table(name, columns, lines, numeric=range(1, len(columns)))


def comparison_table(criterion: CriterionResult) -> Markup:
    """Return a table with the win rate of each pair, and whether a difference is established."""
    lines = [
        [
            markup.any_direction(each.first),
            markup.any_direction(each.second),
            format_number(each.n, 0),
            _number(each.win_rate, each.low, each.high),
            DASH if each.p_adjusted is None else f"{each.p_adjusted:.4f}",
            words.verdict_words(each),
        ]
        for each in criterion.comparisons
    ]
    columns = ["first", "second", "targets", "win rate", "p", "difference"]
    name = f"Comparisons, {criterion.criterion}"
    return tables.html_table(name, columns, lines, numeric=(2, 3, 4))


def metric_table(criterion: CriterionResult) -> Markup:
    """Return a table that says how well each metric predicts the votes."""
    lines = []
    for each in criterion.metrics:
        found = each.prediction
        lines.append(
            [
                _name(metric_labels.metric_label(each.metric), random=each.is_random),
                format_number(found.questions_n, 0),
                format_number(found.targets_n, 0),
                _number(found.accuracy, found.low, found.high),
                _number(found.correlation, found.correlation_low, found.correlation_high),
            ]
        )
    columns = ["metric", "questions", "targets", "accuracy", "correlation"]
    name = f"Metrics, {criterion.criterion}"
    return tables.html_table(name, columns, lines, numeric=(1, 2, 3, 4))


def test_table(tests: Sequence[ListeningTest]) -> Markup:
    """Return a table of listening tests, with the number of their links, listeners and votes."""
    lines = [
        [
            markup.any_direction(test.name),
            test.kind,
            *(format_number(n, 0) for n in (test.run_id, test.links_n)),
            *(format_number(n, 0) for n in (test.listeners_n, test.complete_n)),
            f"{test.votes_n:,} of {test.asked_n:,}",
        ]
        for test in tests
    ]
    columns = ["test", "kind", "run", "links", "listeners", "complete", "votes"]
    return tables.html_table("Listening tests", columns, lines, numeric=(2, 3, 4, 5, 6))


def _name(name: str, *, random: bool) -> Markup:
    """Return a name, and a badge if its weights are random."""
    label = markup.any_direction(name)
    return label + Markup(" ") + markup.badge(RANDOM_WEIGHTS) if random else label


def _number(value: float | None, low: float | None, high: float | None) -> Markup:
    """Return the value above its interval, or a dash if there is no value."""
    return escape(format_number(value, DECIMALS)) + interval(low, high, DECIMALS)
