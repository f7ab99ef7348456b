"""Short answers in sentences, for the report and the dashboard's pages."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from mirpipe.db.queries.comparison_sentences import (
    comparison_sentence,
    mode_name,
    too_few_targets_sentence,
)
from mirpipe.db.queries.encoder_agreement import EncoderAgreement
from mirpipe.db.queries.encoder_comparison import EncoderComparison
from mirpipe.db.queries.generation_summaries import GenerationSummary
from mirpipe.db.queries.hubness import Hubness
from mirpipe.db.queries.library_counts import LibraryCount
from mirpipe.db.queries.metric_names import metric_name
from mirpipe.db.queries.mode_comparison import ModeComparison
from mirpipe.db.queries.number_text import number_text
from mirpipe.db.queries.retrieval_summaries import RetrievalSummary
from mirpipe.db.queries.runs import Run
from mirpipe.db.queries.same_recordings import relation_name
from mirpipe.db.queries.sentence_parts import counted, isolated, listed, was
from mirpipe.setting_types import is_compared


@dataclass(frozen=True)
class BestReference:
    """The reference that one encoder finds most similar to a query."""

    encoder: str
    title: str
    relation: str | None
    """same_recording or same_file if it is the same recording as the query, otherwise None."""
    z: float | None
    random: bool
    """Whether the encoder's weights are random."""


def library_answer(counts: Sequence[LibraryCount]) -> list[str]:
    """Return how many tracks of each collection are used, and how many are not."""

    def number(state: str) -> int:
        return sum(row.tracks for row in counts if row.state == state)

    nouns = (("reference", "reference"), ("target", "target"), ("generated", "clip"))
    tracks_of = {row.collection: row.tracks for row in counts if row.state == "ok"}
    used = [counted(tracks_of[name], noun) for name, noun in nouns if name in tracks_of]
    unused = []
    if rejected := number("rejected"):
        unused.append(f"{counted(rejected, 'track')} {was(rejected)} rejected")
    if gone := number("gone"):
        unused.append(f"the files of {counted(gone, 'track')} are gone")
    sentences = [f"The library contains {listed(used) if used else 'no usable tracks'}."]
    if unused:
        sentence = listed(unused)
        sentences.append(f"{sentence[0].upper()}{sentence[1:]}.")
    return sentences


def run_answer(run: Run) -> str:
    """Return what a run compared, what was not embedded yet, and what has changed."""
    total = {name: run.library.get(f"{name} ok", 0) for name in ("target", "reference")}
    compared = (
        f"Run {run.run_id} compared {counted(total['target'], 'target')} with "
        f"{counted(total['reference'], 'reference')}"
    )
    changed = sum(run.changes.values())
    noun = "best match" if changed == 1 else "best matches"
    if run.run_id == 1 and set(run.changes) == {"first match"}:
        sentences = [f"{compared} and found the first {changed:,} {noun}."]
    elif changed:
        causes = ", ".join(f"{cause}: {n:,}" for cause, n in run.changes.items())
        sentences = [f"{compared} and changed {changed:,} {noun} ({causes})."]
    else:
        sentences = [f"{compared} and changed no best match."]
    for encoder, embedded in sorted(run.vectors.items()):
        incomplete = [
            f"{embedded[name]:,} of {counted(number, name)}"
            for name, number in total.items()
            if embedded[name] < number
        ]
        if incomplete:
            sentences.append(f"{encoder} had vectors of only {listed(incomplete)}.")
    return " ".join(sentences)


def primary_metric_of_run(
    comparisons: Sequence[EncoderComparison] | Sequence[ModeComparison], default: str
) -> str:
    """Return the metric of the run's primary comparison, or the default if there is none."""
    return next((each.metric for each in comparisons if each.role == "primary"), default)


def retrieval_answer(
    summaries: Sequence[RetrievalSummary],
    comparisons: Sequence[EncoderComparison],
    *,
    primary_metric: str,
) -> list[str]:
    """Return which encoder's best matches score highest, and whether that is established.

    The answer uses the primary metric of the run. If the run compared nothing, it uses
    `primary_metric`. Encoders with random weights are left out. The list is empty if only these
    have results.
    """
    primary = [each for each in comparisons if each.role == "primary"]
    primary_metric = primary_metric_of_run(comparisons, primary_metric)
    means = [
        (each.encoder, each.mean, each.n)
        for each in summaries
        if each.metric == primary_metric and not each.random
    ]
    if not means:
        measured = [each.metric for each in summaries if each.mean is not None and not each.random]
        return list(_without_values("best match", primary_metric, measured, "RETRIEVAL"))
    return [
        _ranking("The best matches by", means, primary_metric, "of any best match"),
        *_verdicts(primary, "encoders", primary_metric),
    ]


def generation_answer(
    summaries: Sequence[GenerationSummary],
    comparisons: Sequence[ModeComparison],
    *,
    primary_metric: str,
) -> list[str]:
    """Return which mode's clips score highest for each generator, and whether it is established.

    The metric is chosen as in `retrieval_answer`. Generators and metrics with random weights are
    left out.
    """
    primary = [each for each in comparisons if each.role == "primary"]
    primary_metric = primary_metric_of_run(comparisons, primary_metric)
    sentences: list[str] = []
    for generator in dict.fromkeys(each.generator for each in summaries if not each.random):
        means = [
            (mode_name(each.mode, each.guidance), each.mean, each.n)
            for each in summaries
            if (each.generator, each.metric) == (generator, primary_metric)
            and not each.metric_random
        ]
        if not means:
            measured = [
                each.metric
                for each in summaries
                if each.generator == generator and each.mean is not None and not each.metric_random
            ]
            clip = f"clip by {generator}"
            sentences.extend(_without_values(clip, primary_metric, measured, "GENERATION"))
            continue
        own = [each for each in primary if each.generator == generator]
        start = f"The clips by {generator} in the mode"
        sentences.append(_ranking(start, means, primary_metric, f"of any clip by {generator}"))
        sentences.extend(_verdicts(own, f"modes of {generator}", primary_metric))
    return sentences


def hubs_answer(
    hubness: Sequence[Hubness], agreements: Sequence[EncoderAgreement], *, query_kind: str, k: int
) -> list[str]:
    """Return the strongest hub among the first `k` matches, and which encoders agree most.

    `query_kind` is targets or references. Encoders with random weights are left out.
    """
    sentences = []
    shown = [
        row
        for row in hubness
        if (row.queries, row.k) == (query_kind, k) and not row.random and row.n
    ]
    if shown:
        hub = max(shown, key=lambda row: row.largest / row.n)
        ranked_by = " by CSLS" if hub.rerank == "csls" else ""
        sentences.append(
            f"The strongest hub is {isolated(hub.largest_reference)}: with {hub.encoder}"
            f"{ranked_by}, it is among the first {k} matches of {hub.largest:,} of {hub.n:,} "
            f"{query_kind}."
        )
    pairs = [row for row in agreements if row.encoder < row.other and not row.random]
    ordered = sorted(pairs, key=lambda row: -row.top1)
    if len(ordered) == 1:
        (pair,) = ordered
        sentences.append(
            f"{pair.encoder} and {pair.other} have the same best match for {pair.top1:.0%} of "
            f"{counted(pair.n, 'target')}."
        )
    elif ordered:
        most, least = ordered[0], ordered[-1]
        sentences.append(
            f"{most.encoder} and {most.other} agree most: they have the same best match for "
            f"{most.top1:.0%} of {counted(most.n, 'target')}. {least.encoder} and {least.other} "
            f"agree least, with {least.top1:.0%}."
        )
    return sentences


def similarity_answer(query: str, best: Sequence[BestReference]) -> str:
    """Return which reference each encoder finds most similar to a query.

    Encoders that agree are named together. Encoders with random weights are left out. The answer is
    empty if only these have found a reference.
    """
    encoders: dict[tuple[str, str | None], list[str]] = {}
    for row in best:
        if not row.random:
            z = "" if row.z is None else f" (z = {number_text(row.z, '.2f')})"
            encoders.setdefault((row.title, row.relation), []).append(f"{row.encoder}{z}")
    found = [
        f"{isolated(title)}{f', the {relation_name(relation)},' if relation else ''} "
        f"by {listed(names)}"
        for (title, relation), names in encoders.items()
    ]
    if not found:
        return ""
    if len(found) == 1:
        return f"The reference that is most similar to {isolated(query)} is {found[0]}."
    return f"The encoders find different references for {isolated(query)}: {'; '.join(found)}."


def _without_values(answer: str, metric: str, measured: Sequence[str], task: str) -> Iterator[str]:
    """Yield that no answer has the primary metric, if answers have values of other metrics."""
    names = sorted({name for name in measured if is_compared(name)})
    if names:
        yield (
            f"No {answer} has a value of {metric_name(metric)}, the primary metric. These metrics "
            f"have values: {', '.join(names)}. To choose one of them, set "
            f"MIRPIPE_PRIMARY_{task}_METRIC."
        )


def _ranking(
    start: str, means: Iterable[tuple[str, float | None, int]], metric: str, of_what: str
) -> str:
    """Return a sentence that orders the names by their means, from tuples of name, mean and n."""
    name = metric_name(metric)
    ordered = sorted(
        ((mean, n, subject) for subject, mean, n in means if mean is not None),
        key=lambda each: -each[0],
    )
    if not ordered:
        return f"The {name} {of_what} could not be computed."
    mean, n, best = ordered[0]
    if len(ordered) == 1:
        return f"{start} {best} have a mean {name} of {mean:.3f} over {counted(n, 'target')}."
    first = [s for each, own_n, s in ordered if (f"{each:.3f}", own_n) == (f"{mean:.3f}", n)]
    others = [each for each in ordered if each[2] not in first]
    degree = "highest" if others else "same"
    sentence = f"{start} {listed(first)} have the {degree} {name}: {mean:.3f} on average over "
    sentence += counted(n, "target")
    if not others:
        return f"{sentence}."
    followed = [
        f"{subject} with {mean:.3f}" + ("" if others_n == n else f" over {others_n:,}")
        for mean, others_n, subject in others
    ]
    return f"{sentence}, followed by {listed(followed)}."


def _verdicts(
    primary: Sequence[EncoderComparison] | Sequence[ModeComparison], what: str, metric: str
) -> list[str]:
    """Return a sentence for each established difference, or one that says there is none.

    If no test could be made, the sentences say how many targets are needed instead.
    """
    established = [comparison_sentence(each) for each in primary if each.established]
    if established or not primary:
        return established
    if all(each.reason == "too_few_targets" for each in primary):
        return [too_few_targets_sentence([each]) for each in primary]
    return [f"No difference between the {what} in {metric_name(metric)} is established."]
