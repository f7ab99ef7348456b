"""Compares two revisions: of encoders by their best matches, of other plug-ins by their clips.

Both revisions are judged on the same tracks and by the same metric revisions, so only the models
can differ. The differences are paired by target.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection

from mirpipe.challengers.label_precision import label_precisions
from mirpipe.challengers.metric_changes import MetricChange, metric_changes, unmeasured
from mirpipe.db.queries.metric_choice import choice_sentences
from mirpipe.db.store.shared_answers import MetricValues, SharedAnswers, titles
from mirpipe.db.store.shared_clips import metrics_of_clips, shared_clips
from mirpipe.db.store.shared_matches import metrics_of_matches, shared_matches
from mirpipe.db.store.stored_revisions import StoredRevision
from mirpipe.metric_settings import COMPARED_MATCHES
from mirpipe.records import Task
from mirpipe.setting_types import is_compared
from mirpipe.statistics.mean_intervals import intervals
from mirpipe.statistics.non_inferiority import NonInferiority, combined

MAX_CHANGED = 10
"""Largest number of targets that are listed with their best matches."""


@dataclass(frozen=True)
class ChangedTarget:
    """A shared target whose best matches, or whose clips, differ."""

    target_id: int
    target: str
    old_id: int
    """Track id of the best match, or of a clip that differs, by the old revision."""
    old_title: str
    new_id: int
    new_title: str
    common: float
    """Share of the first matches, or of the clips, that are the same, 0 to 1."""
    difference: float | None
    """New minus old value of the primary metric. None if a value is undefined."""


@dataclass(frozen=True)
class RevisionComparison:
    """What changes if the new revision takes over from the old one."""

    old: StoredRevision
    new: StoredRevision
    references_n: int | None
    """Number of references that both encoder revisions have embedded. None for clips."""
    targets_n: int
    """Number of targets that both revisions have embedded, or of which both have clips."""
    compared_n: int
    """Number of these targets for which both revisions have a shared match or clip."""
    changed_n: int
    """Number of compared targets with a different best match or clip."""
    common: float | None
    """Mean share of the first matches, or of the clips, that are the same, 0 to 1."""
    common_low: float | None
    """Lower end of the 95% interval of `common`."""
    common_high: float | None
    """Upper end of the 95% interval of `common`."""
    metrics: list[MetricChange]
    changed: list[ChangedTarget]
    """The targets that change most, at most MAX_CHANGED."""
    verdict: NonInferiority
    """Verdict on all metrics with a margin together."""
    warnings: list[str]
    """What can make the verdict look better than it is, as sentences."""


def compare_revisions(
    connection: Connection,
    old: StoredRevision,
    new: StoredRevision,
    *,
    margins: Mapping[str, float],
    primary_metric: str,
    same_recording_counts: bool,
) -> RevisionComparison:
    """Return how the new revision differs from the old one, with a verdict for each margin.

    `margins` contains the largest acceptable decrease of each judged metric, in its unit. A metric
    with a margin that was never measured has the verdict `undecided`. Both revisions must be of the
    same kind of plug-in.
    """
    if old.kind == "encoder":
        answers = shared_matches(
            connection,
            old.plugin_id,
            new.plugin_id,
            k=COMPARED_MATCHES,
            same_recording_counts=same_recording_counts,
        )
        metrics_of_answers = [
            *metrics_of_matches(connection, answers),
            *label_precisions(connection, answers, old.plugin_id, new.plugin_id),
        ]
    else:
        answers = shared_clips(connection, old, new)
        metrics_of_answers = metrics_of_clips(connection, old, new)
    measured = {
        values.metric: values for values in metrics_of_answers if is_compared(values.metric)
    }
    metrics = [
        *metric_changes(list(measured.values()), old, new, margins, primary_metric),
        *(
            unmeasured(name, margins[name], has_answers=len(answers.target_ids) > 0)
            for name in sorted(margins.keys() - measured.keys())
        ),
    ]
    task: Task = "retrieval" if old.kind == "encoder" else "generation"
    [(low, high)] = intervals([answers.common], ranges=[(0.0, 1.0)])
    return RevisionComparison(
        old=old,
        new=new,
        references_n=answers.references_n,
        targets_n=answers.targets_n,
        compared_n=len(answers.target_ids),
        changed_n=int((answers.old_ids != answers.new_ids).sum()),
        common=float(answers.common.mean()) if len(answers.common) else None,
        common_low=_none_if_nan(low),
        common_high=_none_if_nan(high),
        metrics=metrics,
        changed=_most_changed(connection, answers, measured.get(primary_metric)),
        verdict=combined(change.verdict for change in metrics if change.verdict is not None),
        warnings=choice_sentences(task, primary_metric) if primary_metric in margins else [],
    )


def _most_changed(
    connection: Connection, answers: SharedAnswers, primary: MetricValues | None
) -> list[ChangedTarget]:
    """Return the targets with different best matches: the largest difference comes first."""
    changed = np.flatnonzero(answers.old_ids != answers.new_ids)
    differences = np.full(len(answers.target_ids), np.nan)
    if primary is not None:
        differences = primary.new - primary.old
    size = np.nan_to_num(np.abs(differences[changed]), nan=-1.0)
    chosen = changed[np.lexsort((answers.common[changed], -size))][:MAX_CHANGED]
    ids = np.concatenate(
        [array[chosen] for array in (answers.target_ids, answers.old_ids, answers.new_ids)]
    )
    title = titles(connection, ids.tolist())
    return [
        ChangedTarget(
            target,
            title[target],
            before,
            title[before],
            after,
            title[after],
            common,
            _none_if_nan(difference),
        )
        for target, before, after, common, difference in zip(
            answers.target_ids[chosen].tolist(),
            answers.old_ids[chosen].tolist(),
            answers.new_ids[chosen].tolist(),
            answers.common[chosen].tolist(),
            differences[chosen].tolist(),
            strict=True,
        )
    ]


def _none_if_nan(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
