"""The results of a listening test as sentences, for the command line and the dashboard."""

import shlex
from collections.abc import Iterator, Sequence
from math import isclose

from mirpipe.db.queries.metric_names import metric_name
from mirpipe.db.queries.sentence_parts import counted, listed
from mirpipe.listening.results import CriterionResult, ListeningResults, MetricResult
from mirpipe.listening.subject_results import (
    MIN_LISTENERS,
    SubjectComparison,
    targets_for_verdict,
)
from mirpipe.setting_types import is_compared
from mirpipe.statistics.mean_intervals import MIN_N

REASONS = {
    "too_few_listeners": "too few listeners",
    "too_few_targets": "too few targets",
    "not_connected": "some subjects were never compared",
    "random_weights": "left out, because of random weights",
}
"""Words for the codes of reasons. A code without an entry is shown as it is."""
STRENGTHS_REMARK = (
    "strength: logarithm of the strength in Davidson's model, with its 95% interval over "
    f"listeners, from {MIN_N} listeners on, unless all gave the same votes; mean rating (if people "
    "rate): with its 95% interval over targets, however many listeners there are, which is "
    f"missing with fewer than {MIN_N} targets, or if the mean is the same on all targets"
)
COMPARISONS_REMARK = (
    "win rate of the first over targets, with its 95% interval, among the listeners of this test; "
    "p is corrected for the other comparisons"
)
METRICS_REMARK = (
    "accuracy: share of votes for the track that the metric prefers (0.5 by chance); correlation: "
    "Spearman's; both with 95% intervals over targets, not corrected for the number of metrics"
)
_CHOICE_BINDS_LATER_RUNS = (
    "If you choose the primary metric by this table, the choice is good for later runs only: on "
    "the targets of these votes, the chosen metric looks better than it is."
)
_SETTINGS = {
    "answers": ("MIRPIPE_PRIMARY_RETRIEVAL_METRIC",),
    "clips": ("MIRPIPE_PRIMARY_GENERATION_METRIC",),
    "rating": ("MIRPIPE_PRIMARY_RETRIEVAL_METRIC", "MIRPIPE_PRIMARY_GENERATION_METRIC"),
}
"""Settings of the primary metric of what each kind of test compares."""

_WIN_RATE = (
    "A win rate is the share of votes, with half of the votes for neither, as a mean over targets."
)
_TITLES = {
    "similarity": "Which is more similar to the target?",
    "quality": "Which is better music?",
}
_CHANCE = 0.5
_NO_AGREEMENT = {
    "no_question": "No two listeners who count answered the same question, so agreement is not "
    "defined.",
    "equal_values": "All answers are equal, so agreement beyond chance is not defined.",
}


def criterion_title(results: ListeningResults, criterion: CriterionResult) -> str:
    """Return the question that listeners answered."""
    if results.kind == "rating":
        return "How similar is it to the target?"
    return _TITLES[criterion.criterion]


def listening_answer(results: ListeningResults) -> list[str]:
    """Return what the votes show: preferences, and which metrics predict them, by criterion."""
    if not any(criterion.votes_n for criterion in results.criteria):
        if results.left_out_n and results.left_out_n == results.listeners_n:
            return [f"No vote counts. {_left_out(results)}"]
        return ["No vote counts yet."]
    sentences = [_preference_sentence(results, criterion) for criterion in results.criteria]
    if any(each.established for criterion in results.criteria for each in criterion.comparisons):
        sentences.append(_WIN_RATE)
    return [*sentences, *(_metrics_sentence(results, each) for each in results.criteria)]


def listener_sentences(results: ListeningResults) -> Iterator[str]:
    """Yield how many people voted, in which order, and how carefully."""
    yield (
        f"Listening test {results.name}, run {results.run_id}: "
        f"{counted(results.listeners_n, 'listener')}. The order of the questions is "
        f"{results.order}."
    )
    if results.order == "adaptive":
        yield (
            "Later listeners were asked more about pairs whose result was uncertain, so all "
            "intervals and p-values are approximate."
        )
    if results.controls_n:
        yield (
            f"{results.controls_passed_n} of {results.controls_n} controls were passed. "
            f"{_left_out(results)}"
        )
    if results.repeats_n:
        yield (
            f"{results.repeats_equal_n} of {results.repeats_n} repeats have the same answer as the "
            "first time."
        )
    if results.left_share is not None:
        yield f"{results.left_share:.0%} of the choices are for the left track."
    if random := _random_names(results.criteria):
        yield (
            f"With random weights: {', '.join(random)}. Their results say nothing about music, so "
            "they get no verdict."
        )


def choice_sentences(results: ListeningResults, criterion: CriterionResult) -> str:
    """Return how to choose the most accurate metric, and for which runs the choice is good.

    Only metrics that are proven to be better than chance are suggested.
    """
    suggested = _most_accurate(
        [
            each
            for each in criterion.metrics
            # A cosine of one encoder says nothing about the matches of another.
            if is_compared(each.metric)
            and not (results.kind != "clips" and each.metric.startswith("cosine "))
            and not each.is_random
            and _is_better_than_chance(each)
        ]
    )
    if not suggested:
        return _CHOICE_BINDS_LATER_RUNS
    names = " or ".join(metric_name(each.metric) for each in suggested)
    values = " or ".join(
        f"{setting}={shlex.quote(each.metric)}"
        for setting in _SETTINGS[results.kind]
        for each in suggested
    )
    return f"To make {names} the primary metric, set {values}. {_CHOICE_BINDS_LATER_RUNS}"


def agreement_sentence(criterion: CriterionResult) -> str:
    """Return the number of votes on a criterion, and how well the listeners agree."""
    found = criterion.agreement
    votes = counted(criterion.votes_n, "vote")
    if found.alpha is None:
        return f"{votes}. {_NO_AGREEMENT[str(found.reason)]}"
    interval = " (too few questions for an interval)"
    if found.low is not None:
        interval = f" [{found.low:.2f}, {found.high:.2f}]"
    return (
        f"{votes}. Agreement between listeners (Krippendorff's alpha): {found.alpha:.2f}"
        f"{interval}, on {counted(found.questions_n, 'question')}."
    )


def verdict_words(comparison: SubjectComparison) -> str:
    """Return whether a difference is established, or why it was not tested."""
    if comparison.reason == "too_few_targets":
        of_targets = f"{comparison.preferred_n:,} of {comparison.n:,}"
        return f"{REASONS[comparison.reason]} with a preference ({of_targets})"
    if comparison.reason is not None:
        return REASONS.get(comparison.reason, comparison.reason)
    return "established" if comparison.established else "not established"


def _left_out(results: ListeningResults) -> str:
    """Return how many listeners are left out, and why, as a sentence."""
    limit = f"{results.min_controls:.0%} of their controls"
    left_out = results.left_out_n
    if not left_out:
        return f"Nobody is left out: everyone passed at least {limit}."
    who = counted(left_out, "listener")
    if left_out == results.listeners_n > 1:
        who = f"All {who}"
    verb = "is" if left_out == 1 else "are"
    return f"{who} {verb} left out, because they passed less than {limit}."


def _preference_sentence(results: ListeningResults, criterion: CriterionResult) -> str:
    question = criterion_title(results, criterion)
    found = [_preference(each) for each in criterion.comparisons if each.established]
    if found:
        return f"{question} The listeners of this test prefer {', and '.join(found)}."
    tested = [each for each in criterion.comparisons if each.reason is None]
    if tested:
        pairs = counted(len(tested), "tested comparison")
        return f"{question} No preference of the listeners is established in {pairs}."
    return f"{question} No preference is tested, because {_why_untested(results, criterion)}"


def _why_untested(results: ListeningResults, criterion: CriterionResult) -> str:
    """Return why no comparison was tested."""
    if not criterion.comparisons:
        return "nobody compared two subjects on the same target yet."
    reasons = {each.reason for each in criterion.comparisons}
    pairs = [each for each in criterion.comparisons if each.reason != "random_weights"]
    if not pairs:
        return "each pair has a subject with random weights."
    targets_n, needed = max(each.n for each in pairs), targets_for_verdict(len(pairs))
    few_targets = _few_targets(targets_n, len(pairs)) if targets_n < needed else ""
    if "too_few_listeners" in reasons:
        few = f"fewer than {MIN_LISTENERS} listeners compared the same pair"
        more = f"Ask more people: `mirpipe listening link {shlex.quote(results.name)}`."
        if not few_targets:
            return f"{few}. {more}"
        return (
            f"{few}, and {few_targets}. A verdict needs at least {MIN_LISTENERS} listeners and "
            f"{needed} targets. {more} If the test has fewer targets, create one with more."
        )
    if not few_targets:
        most = max(pairs, key=lambda each: each.preferred_n)
        only = "only" if len(pairs) == 1 else "at most"
        few_targets = (
            f"the votes prefer one of the two on {most.preferred_n:,} of "
            f"{counted(most.n, 'target')} {only}"
        )
    return f"{few_targets}. A verdict needs at least {needed}."


def _few_targets(targets_n: int, pairs_n: int) -> str:
    """Return on how many targets each pair was compared at most."""
    targets = counted(targets_n, "target")
    if pairs_n == 1:
        return f"only {targets} {'was' if targets_n == 1 else 'were'} compared"
    return f"no pair was compared on more than {targets}"


def _preference(comparison: SubjectComparison) -> str:
    better, other, share = comparison.first, comparison.second, comparison.win_rate
    if share < _CHANCE:
        better, other, share = other, better, 1 - share
    return f"{better} to {other} (win rate {_percents(share)[0]})"


def _percents(*shares: float | None) -> list[str]:
    """Return shares above chance in percent, with more digits if one were rounded to chance."""
    printed = []
    for digits in range(4):
        printed = [f"{share:.{digits}%}" for share in shares]
        if f"{_CHANCE:.{digits}%}" not in printed:
            break
    return printed


def _random_names(criteria: Sequence[CriterionResult]) -> list[str]:
    """Return the subjects and metrics with random weights."""
    names = [s.subject for criterion in criteria for s in criterion.subjects if s.is_random]
    names += [metric_name(m.metric) for each in criteria for m in each.metrics if m.is_random]
    return list(dict.fromkeys(names))


def _metrics_sentence(results: ListeningResults, criterion: CriterionResult) -> str:
    """Return how many metrics predict the votes better than chance, and the most accurate one.

    The intervals are not corrected for the number of metrics, so no metric is called the best one.
    """
    words = "the votes"
    if len(results.criteria) > 1:
        words = f"the votes on {criterion.criterion}"
    metrics = [each for each in criterion.metrics if not each.is_random]
    better = [each for each in metrics if _is_better_than_chance(each)]
    if not better:
        return f"No metric is proven to predict {words} better than chance."
    verb = "predicts" if len(better) == 1 else "predict"
    best = _most_accurate(better)
    found = best[0].prediction
    accuracy, low, high = _percents(found.accuracy, found.low, found.high)
    names = listed([metric_name(each.metric) for each in best])
    have = "has the highest accuracy: it prefers"
    if len(best) > 1:
        have = "have the same, highest accuracy: they prefer"
    questions = {each.prediction.questions_n for each in better}
    return (
        f"{len(better)} of {counted(len(metrics), 'metric')} {verb} {words} better than chance, "
        f"without a correction for the number of metrics. Of these, {names} {have} the same track "
        f"in {accuracy} [{low}, {high}] of the votes."
        + (" The metrics have values for different questions." if len(questions) > 1 else "")
    )


def _most_accurate(metrics: Sequence[MetricResult]) -> list[MetricResult]:
    """Return the metrics with the highest accuracy, of metrics that are sorted by it."""
    return [
        each
        for each in metrics
        if isclose(each.prediction.accuracy or 0.0, metrics[0].prediction.accuracy or 0.0)
    ]


def _is_better_than_chance(result: MetricResult) -> bool:
    return result.prediction.low is not None and result.prediction.low > _CHANCE
