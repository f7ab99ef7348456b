"""Judges every rule of a gate on the latest run."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from mirpipe.db import queries
from mirpipe.db.queries.findings import findings_n
from mirpipe.db.queries.metric_names import metric_name
from mirpipe.db.queries.pending_work import has_plugin
from mirpipe.db.queries.sentence_parts import counted
from mirpipe.operations.gate.changes import judge_change
from mirpipe.operations.gate.gate_file import (
    Age,
    Change,
    Coverage,
    Findings,
    Gate,
    Mean,
    Pending,
    Rule,
)
from mirpipe.operations.gate.verdicts import RuleVerdict, compare_with_limits
from mirpipe.statistics.mean_intervals import MIN_N


def judge(gate: Gate, run: queries.Run | None) -> list[RuleVerdict]:
    """Return the verdict of each rule, in the order of the file. `run` is the latest run."""
    if run is None:
        detail = "There is no run yet. `mirpipe run` creates the first one."
        return [RuleVerdict(rule.name, rule.check, "undecided", detail) for rule in gate.rules]
    return [_judge_rule(rule, run) for rule in gate.rules]


def _judge_rule(rule: Rule, run: queries.Run) -> RuleVerdict:
    match rule:
        case Mean():
            return _judge_mean(rule)
        case Change():
            return judge_change(rule, run)
        case Coverage():
            return _judge_coverage(rule)
        case Findings():
            return _judge_findings(rule)
        case Pending():
            return _judge_pending(rule)
        case Age():
            return _judge_age(rule, run)


def _judge_mean(rule: Mean) -> RuleVerdict:
    """Compare the 95% interval of a mean with the limits.

    If all values are equal, there is no interval, and the mean itself is compared.
    """
    subject = rule.encoder or f"{rule.generator}, mode {rule.mode}"
    result = RuleVerdict(
        rule.name, rule.check, "undecided", "", at_least=rule.at_least, at_most=rule.at_most
    )
    found = _summaries(rule)
    if not found:
        detail = (
            f"The latest run has no mean of {rule.metric} for {subject}. The views "
            "v_retrieval_summary and v_generation_summary list what exists."
        )
        return replace(result, detail=detail)
    if len(found) > 1:
        return replace(result, detail=f"{subject} has several guidance values. Set `guidance`.")
    [summary] = found
    mean, low, high = summary.mean, summary.low, summary.high
    result = replace(result, value=mean, low=low, high=high, n=summary.n)
    if summary.random or summary.metric_random:
        return replace(result, detail="Random weights were used.")
    if summary.sd == 0 and summary.n >= MIN_N:
        low = high = mean
    if mean is None or low is None or high is None:
        detail = f"Only {counted(summary.n, 'target')} can count, and an interval needs {MIN_N}."
        return replace(result, detail=detail)
    return replace(
        result,
        verdict=compare_with_limits(low, high, at_least=rule.at_least, at_most=rule.at_most),
        detail=f"Mean {metric_name(rule.metric)} of {subject} over "
        f"{counted(summary.n, 'target')}: {mean:.4f} [{low:.4f}, {high:.4f}].",
    )


def _summaries(
    rule: Mean,
) -> Sequence[queries.RetrievalSummary | queries.GenerationSummary]:
    if rule.encoder is not None:
        return [
            summary
            for summary in queries.retrieval_summaries()
            if (summary.encoder, summary.metric) == (rule.encoder, rule.metric)
        ]
    return [
        summary
        for summary in queries.generation_summaries()
        if (summary.generator, summary.mode, summary.metric)
        == (rule.generator, rule.mode, rule.metric)
        and rule.guidance in (None, summary.guidance)
    ]


def _judge_coverage(rule: Coverage) -> RuleVerdict:
    revisions = queries.encoder_revisions()
    active = [row for row in revisions if row.encoder == rule.encoder and row.serving]
    coverage = active[0].coverage if active else None
    if coverage is None:
        detail = (
            "There are no usable tracks."
            if active
            else f"The encoder {rule.encoder} has no active revision. `mirpipe encoders` lists all."
        )
        return RuleVerdict(rule.name, rule.check, "undecided", detail, at_least=rule.at_least)
    return RuleVerdict(
        rule.name,
        rule.check,
        compare_with_limits(coverage, coverage, at_least=rule.at_least),
        f"{coverage:.2%} of the usable tracks have a vector by {rule.encoder}.",
        value=coverage,
        at_least=rule.at_least,
    )


def _judge_findings(rule: Findings) -> RuleVerdict:
    n = findings_n(
        kinds=[rule.kind] if rule.kind else [],
        severity=rule.severity,
        collections=[rule.collection] if rule.collection else [],
    )
    return _judge_count(rule, n, f"{counted(n, 'finding')} about the audio.")


def _judge_pending(rule: Pending) -> RuleVerdict:
    if rule.plugin is not None and not has_plugin(rule.plugin, rule.stage):
        stage = "" if rule.stage is None else f" in the stage {rule.stage}"
        detail = (
            f"No plug-in {rule.plugin} has worked{stage}. Check its name: `mirpipe models` lists "
            "all plug-ins."
        )
        return RuleVerdict(rule.name, rule.check, "undecided", detail, at_most=rule.at_most)
    n = sum(
        work.items
        for work in queries.pending_work()
        if rule.stage in (None, work.stage) and rule.plugin in (None, work.plugin)
    )
    return _judge_count(rule, n, f"{counted(n, 'pending item')}.")


def _judge_count(rule: Findings | Pending, n: int, detail: str) -> RuleVerdict:
    verdict = compare_with_limits(n, n, at_most=rule.at_most)
    return RuleVerdict(rule.name, rule.check, verdict, detail, value=n, at_most=rule.at_most)


def _judge_age(rule: Age, run: queries.Run) -> RuleVerdict:
    hours = (datetime.now(UTC) - run.confirmed_at).total_seconds() / 3600
    return RuleVerdict(
        rule.name,
        rule.check,
        compare_with_limits(hours, hours, at_most=rule.at_most_hours),
        f"The results of run {run.run_id} were confirmed {hours:.1f} hours ago.",
        value=hours,
        at_most=rule.at_most_hours,
    )
