"""The comparison of two revisions as sentences, for the command line and the dashboard."""

from dataclasses import dataclass

from mirpipe.challengers.compare_revisions import RevisionComparison
from mirpipe.db.queries.metric_names import metric_name
from mirpipe.db.store.stored_revisions import Kind
from mirpipe.metric_settings import COMPARED_MATCHES


@dataclass(frozen=True)
class Words:
    """Words for what a kind of plug-in answers."""

    item: str
    """What the plug-in processes."""
    answer: str
    same: str
    """What is counted as the same or not."""


WORDS: dict[Kind, Words] = {
    "encoder": Words("track", "best match", f"first {COMPARED_MATCHES} matches"),
    "captioner": Words("caption", "clip", "clips"),
    "generator": Words("clip", "clip", "clips"),
}
"""Words by kind of plug-in."""
_NOTHING_SHARED: dict[Kind, str] = {
    "encoder": "No target has matches by both revisions. Run `mirpipe run`.",
    "captioner": "No target has clips from captions by both revisions. Run `mirpipe generate`.",
    "generator": "No target has clips by both revisions. Run `mirpipe generate`.",
}


def comparison_sentences(comparison: RevisionComparison) -> list[str]:
    """Return the verdict on a new revision, and what changes, as sentences."""
    judged = ", ".join(
        f"{metric_name(change.metric)} (margin {change.margin:g})"
        for change in comparison.metrics
        if change.margin is not None
    )
    sentences = [
        f"{comparison.new.label} compared with {comparison.old.label}: {comparison.verdict}, "
        f"judged by {judged}.",
        *comparison.warnings,
    ]
    if comparison.references_n is not None:
        sentences.append(
            f"The revisions share {comparison.references_n:,} references and "
            f"{comparison.targets_n:,} targets."
        )
    if comparison.common is None:
        sentences.append(_NOTHING_SHARED[comparison.old.kind])
    else:
        interval = ""
        if comparison.common_low is not None:
            interval = f" [{comparison.common_low:.0%}, {comparison.common_high:.0%}]"
        words = WORDS[comparison.old.kind]
        sentences.append(
            f"The {words.answer} differs for {comparison.changed_n:,} of "
            f"{comparison.compared_n:,} targets. {comparison.common:.0%}{interval} of the "
            f"{words.same} are the same."
        )
    sentences += [
        f"{each.imported_n:,} vectors of {each.label} were imported. How they were computed is "
        "unknown."
        for each in (comparison.old, comparison.new)
        if each.imported_n
    ]
    if comparison.old.licence_weights != comparison.new.licence_weights:
        sentences.append(
            f"The licence of the weights changes from {comparison.old.licence_weights or 'none'} "
            f"to {comparison.new.licence_weights or 'none'}."
        )
    return sentences
