"""The verdict of a change: a non-inferiority test on the targets and references of both runs.

The rule passes if the 95% interval of the mean paired difference is above minus the margin, and
fails if the complete interval is below it. Everything else is undecided: a missing difference is no
proof of equality. Source: Wellek, Testing Statistical Hypotheses of Equivalence and Noninferiority
(2010), chapter 1.
"""

from datetime import datetime

import numpy as np

from mirpipe.db import queries
from mirpipe.db.queries.runs import run_before
from mirpipe.db.queries.sentence_parts import counted
from mirpipe.db.queries.shared_best_matches import EncoderInRun, encoder_in_run, shared_change
from mirpipe.operations.gate.gate_file import Change
from mirpipe.operations.gate.verdicts import RuleVerdict, compare_with_limits
from mirpipe.statistics.mean_intervals import MIN_N
from mirpipe.statistics.paired_sign_flip_test import compare


def judge_change(rule: Change, run: queries.Run) -> RuleVerdict:
    """Return the verdict of the rule on the change from the earlier run to the latest `run`."""
    then_id = _earlier_run(rule)
    if then_id is None or then_id >= run.run_id:
        return _undecided(rule, _no_earlier_run(rule, run.run_id))
    if all(summary.metric != rule.metric for summary in queries.retrieval_summaries()):
        return _undecided(
            rule,
            f"The latest run has no metric {rule.metric}. The view v_retrieval_summary lists the "
            "metrics.",
        )
    then = encoder_in_run(then_id, rule.encoder, rule.metric)
    now = encoder_in_run(run.run_id, rule.encoder, rule.metric)
    for run_id, encoder in ((then_id, then), (run.run_id, now)):
        if encoder is None:
            return _undecided(rule, f"Run {run_id} has no results by the encoder {rule.encoder}.")
    assert then is not None
    assert now is not None
    if then.random or now.random:
        return _undecided(rule, "Random weights were used.")
    if then.same_recording_counts != now.same_recording_counts:
        return _undecided(
            rule, "Matches that are the same recording as their target count in only one run."
        )
    change = shared_change(then_id, run.run_id, rule.encoder, rule.metric)
    if change.unmeasured_n:
        return _undecided(
            rule,
            f"A match has no score by the current revision of {rule.metric} for "
            f"{counted(change.unmeasured_n, 'shared target')}.",
        )
    [test] = compare([change.now - change.then])
    facts = f"{_models(then, now)} {_library(then, now, change.references_n, change.targets_n)}"
    if test.n < MIN_N:
        return _undecided(
            rule,
            f"Only {counted(test.n, 'shared target')} can be compared, and an interval needs "
            f"{MIN_N}. {facts}",
        )
    interval = "" if np.isnan(test.low) else f" [{test.low:+.4f}, {test.high:+.4f}]"
    return RuleVerdict(
        rule.name,
        rule.check,
        compare_with_limits(*test.ends, at_least=rule.lowest),
        f"Mean change since run {then_id} on {counted(test.n, 'shared target')}: "
        f"{test.mean:+.4f}{interval}. "
        f"{facts}",
        value=test.mean,
        low=None if np.isnan(test.low) else test.low,
        high=None if np.isnan(test.high) else test.high,
        at_least=rule.lowest,
        n=test.n,
    )


def _earlier_run(rule: Change) -> int | None:
    return rule.since if isinstance(rule.since, int) else run_before(rule.since)


def _no_earlier_run(rule: Change, run_id: int) -> str:
    if isinstance(rule.since, datetime):
        return f"No run was published by {rule.since:%Y-%m-%d %H:%M %Z}."
    number = "" if rule.since is None else rule.since
    return f"There is no run {number} before run {run_id}."


def _undecided(rule: Change, detail: str) -> RuleVerdict:
    return RuleVerdict(
        rule.name, rule.check, "undecided", " ".join(detail.split()), at_least=rule.lowest
    )


def _models(then: EncoderInRun, now: EncoderInRun) -> str:
    is_same = then.revision == now.revision
    return "The encoder is the same." if is_same else "The encoder has a new revision."


def _library(then: EncoderInRun, now: EncoderInRun, references_n: int, targets_n: int) -> str:
    """Return what the runs share, and how the mean over all tracks of each run differs."""
    # Tracks without a vector were ingested, but not compared.
    references_n = min(references_n, then.references_n, now.references_n)
    targets_n = min(targets_n, then.targets_n, now.targets_n)
    parts = [
        f"The runs share {references_n:,} references (of {then.references_n:,} then and "
        f"{now.references_n:,} now) and {targets_n:,} targets (of {then.targets_n:,} and "
        f"{now.targets_n:,})."
    ]
    is_same = references_n == then.references_n == now.references_n
    is_same = is_same and targets_n == then.targets_n == now.targets_n
    if then.mean is not None and now.mean is not None and not is_same:
        parts.append(
            f"With all tracks of each run, the mean changed by {now.mean - then.mean:+.4f}, which "
            "includes changes of the library."
        )
    return " ".join(parts)
