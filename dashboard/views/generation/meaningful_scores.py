"""The scores that have a meaning for their target and clips."""

from collections.abc import Sequence

from mirpipe.db import queries


def meaningful_scores(scores: Sequence[queries.TargetScore]) -> list[queries.TargetScore]:
    """Return the scores without the melody accuracies of unpitched targets and clips."""
    # The chance-corrected accuracy is undefined if the target or its clips are unpitched.
    unpitched = {
        (score.target_id, score.generator, score.mode, score.guidance)
        for score in scores
        if score.metric == "melody_accuracy_corrected" and score.value is None
    }
    return [
        score
        for score in scores
        if score.metric != "melody_accuracy"
        or (score.target_id, score.generator, score.mode, score.guidance) not in unpitched
    ]
