"""Short answers in sentences, for the pages Failures, Quality, Map, Listen, Track and History."""

from collections import Counter
from collections.abc import Sequence

from mirpipe.db.queries.clip_origins import ClipOrigin
from mirpipe.db.queries.comparison_sentences import mode_name
from mirpipe.db.queries.embedding_maps import ClosestPair, EmbeddingMap
from mirpipe.db.queries.failure_ledger import FailureCount
from mirpipe.db.queries.findings import FindingCount, finding_name
from mirpipe.db.queries.gate_history import GateVerdict
from mirpipe.db.queries.generated_clips import GeneratedClip
from mirpipe.db.queries.matched_targets import MatchedTarget
from mirpipe.db.queries.metric_names import metric_name
from mirpipe.db.queries.number_text import number_text
from mirpipe.db.queries.published_results import PublishedClaim, PublishedNumber
from mirpipe.db.queries.run_history import PastSummary
from mirpipe.db.queries.sentence_parts import counted, isolated, listed, was


def failures_answer(counts: Sequence[FailureCount]) -> str:
    """Return the number of failures, how many are tried again, and the most frequent reason.

    If several reasons are equally frequent, none is named. `counts` must not be empty.
    """
    total = sum(row.items for row in counts)
    retried = sum(row.items for row in counts if row.retry)
    first = max(counts, key=lambda row: row.items)
    reason = first.reason.replace("_", " ")
    if total == 1:
        again = "tries again" if retried else "does not try again"
        return (
            f"There is 1 failure, in the stage {first.stage} ({reason}), which the next run "
            f"{again}."
        )
    again = f"{retried:,} of them" if retried else "none of them"
    sentence = f"There are {counted(total, 'failure')}, and the next run tries {again} again."
    if sum(row.items == first.items for row in counts) > 1:
        return sentence
    return (
        f"{sentence} The most frequent reason is {reason}, in the stage {first.stage} "
        f"({first.items:,})."
    )


def failures_remedy(counts: Sequence[FailureCount]) -> str:
    """Return what to run after bad input was replaced, or an empty text if no input is bad."""
    if all(row.retry for row in counts):
        return ""
    return (
        "After you have replaced a file, run mirpipe ingest on its folder again, then mirpipe run."
    )


def copies_answer(groups_n: int) -> str:
    """Return how many groups of tracks contain the same recording."""
    if not groups_n:
        return "No copies are known."
    verb = "is" if groups_n == 1 else "are"
    return f"There {verb} {counted(groups_n, 'group')} of copies: tracks with the same recording."


def map_answer(map_: EmbeddingMap) -> str:
    """Return how much of an encoder's space a map shows."""
    share = map_.spread_x + map_.spread_y
    return (
        f"The two axes show {share:.0%} of the variance of the references in the space of "
        f"{map_.encoder}."
    )


def closest_pair_answer(encoder: str, pair: ClosestPair | None) -> str:
    """Return which target and reference are most similar. Empty without a pair."""
    if pair is None:
        return ""
    cosine = number_text(pair.cosine, ".3f")
    titles = f"the target {isolated(pair.target)} and the reference {isolated(pair.reference)}"
    start = f"Of all best matches by {encoder},"
    if pair.equal_n > 1:
        return (
            f"{start} {pair.equal_n:,} pairs have the highest cosine, {cosine}, such as {titles}."
        )
    return f"{start} the most similar pair is {titles}, with a cosine of {cosine}."


def matched_targets_answer(rows: Sequence[MatchedTarget]) -> str:
    """Return of how many targets a reference is a match."""
    number = counted(rows[0].targets_n, "target") if rows else "no target"
    return f"This reference is among the first ten matches of {number}."


def clip_origin_answer(rows: Sequence[ClipOrigin]) -> str:
    """Return what a clip was generated from. Empty if this is not known."""
    if not rows:
        return ""
    first = rows[0]
    others = f", and from {counted(len(rows) - 1, 'other target')}" if len(rows) > 1 else ""
    return (
        f"This clip was generated from {isolated(first.target)} by {first.generator} in the mode "
        f"{mode_name(first.mode, first.guidance)}{others}."
    )


def trend_answer(rows: Sequence[PastSummary], metric: str) -> str:
    """Return which mean of a metric changed most between the first and the last run.

    Random weights are left out. The answer is empty if nothing else was measured twice.
    """
    means: dict[str, list[tuple[int, float]]] = {}
    for row in rows:
        if row.metric == metric and row.mean is not None and not row.random:
            means.setdefault(row.subject, []).append((row.run_id, row.mean))
    ends = {subject: (min(each), max(each)) for subject, each in means.items() if len(each) > 1}
    if not ends:
        return ""
    subject, (first, last) = max(ends.items(), key=lambda item: abs(item[1][1][1] - item[1][0][1]))
    start = f"The mean {metric_name(metric)}"
    runs = f"from run {first[0]} to run {last[0]}"
    if f"{first[1]:.3f}" == f"{last[1]:.3f}":
        return f"{start} did not change {runs}."
    changed = "most for" if len(ends) > 1 else "for"
    values = f"{number_text(first[1], '.3f')} to {number_text(last[1], '.3f')}"
    return f"{start} changed {changed} {subject} {runs}: from {values}."


def gate_answer(verdicts: Sequence[GateVerdict]) -> str:
    """Return how many rules of a gate a run passed. `verdicts` must be those on this run."""
    [gate] = {each.gate for each in verdicts}
    [run_id] = {each.run_id for each in verdicts}
    number = Counter(each.verdict for each in verdicts)
    return (
        f"Run {run_id} passed {number['passed']:,} of {counted(len(verdicts), 'rule')} of the gate "
        f"{isolated(gate)}; {number['failed']:,} failed, and {number['undecided']:,} "
        f"{'is' if number['undecided'] == 1 else 'are'} undecided."
    )


def published_answer(numbers: Sequence[PublishedNumber], claims: Sequence[PublishedClaim]) -> str:
    """Return how many of the published numbers and claims are right."""
    agreeing = sum(number.agrees for number in numbers)
    standing = sum(claim.verdict == "stands" for claim in claims)
    return (
        f"{agreeing} of {len(numbers)} printed numbers follow from the printed lines, and "
        f"{standing} of {len(claims)} claims stand."
    )


def clips_answer(clips: Sequence[GeneratedClip]) -> str:
    """Return how many clips were generated from a target. Empty if there are none."""
    if not clips:
        return ""
    modes = len({(clip.generator, clip.mode, clip.guidance) for clip in clips})
    counts = f"{counted(len(clips), 'clip')} in {counted(modes, 'mode')}"
    return f"From the target, {counts} {was(len(clips))} generated."


def quality_answer(counts: Sequence[FindingCount]) -> str:
    """Return the most frequent kinds of warnings about the audio of tracks."""
    warnings = sorted(
        (row for row in counts if row.severity == "warning"), key=lambda row: -row.tracks
    )
    if not warnings:
        return "No track has a warning."
    first, *others = warnings
    if any(row.tracks == first.tracks for row in others):
        named = (f"{finding_name(row.kind)} ({counted(row.tracks, 'track')})" for row in warnings)
        return f"Warnings: {', '.join(named)}."
    name = finding_name(first.kind)
    sentence = f"The most frequent warning is {name}, for {counted(first.tracks, 'track')}"
    followed = [f"{finding_name(row.kind)} for {row.tracks:,}" for row in others]
    return f"{sentence}, followed by {listed(followed)}." if followed else f"{sentence}."
