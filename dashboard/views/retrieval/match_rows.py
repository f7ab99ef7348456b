"""The table of best matches, for the page and for its CSV file."""

from collections.abc import Sequence
from dataclasses import asdict, replace

import pandas as pd

from mirpipe.db import queries
from mirpipe.db.queries.same_recordings import relation_name


def meaningful_scores(rows: Sequence[queries.BestMatchScores]) -> list[queries.BestMatchScores]:
    """Return the matches without the melody accuracies of pairs that are not both pitched."""
    return [replace(row, melody_accuracy=None) if row.melodic is False else row for row in rows]


SCORE_OF_METRIC = {
    "melody_accuracy_melodic": "melody_accuracy",
    "melody_accuracy_corrected": "melody_corrected",
    "melody_accuracy_shifted": "melody_shifted",
    **{f"aesthetics_{axis}": axis for axis in ("ce", "cu", "pc", "pq")},
}
"""Score of a match for each metric that has another name."""


def worst_first(
    rows: Sequence[queries.BestMatchScores], metric: str
) -> tuple[str, list[queries.BestMatchScores]]:
    """Return a score and the matches with the lowest scores first. Undefined scores come last.

    The score is that of the metric, or z if no match has one. Matches that are left out stay above
    the best match that counts.
    """
    score = SCORE_OF_METRIC.get(metric, metric)
    value_of = _counted_scores(rows, score)
    if not value_of:
        score = "z"
        value_of = _counted_scores(rows, score)
    return score, sorted(
        rows, key=lambda row: value_of.get((row.target_id, row.encoder), float("inf"))
    )


def _counted_scores(
    rows: Sequence[queries.BestMatchScores], score: str
) -> dict[tuple[int, str], float]:
    """Return the defined scores of the matches that count, by target and encoder."""
    return {
        (row.target_id, row.encoder): value
        for row in meaningful_scores(rows)
        if row.counts and (value := getattr(row, score, None)) is not None
    }


def match_rows(rows: Sequence[queries.BestMatchScores]) -> pd.DataFrame:
    """Return one row per best match, without columns that have no value."""
    data = pd.DataFrame([asdict(row) for row in meaningful_scores(rows)])
    data["relation"] = data["relation"].map(relation_name, na_action="ignore")
    hidden = ["target_id", "reference_id", "counts"]
    return data.drop(columns=hidden).dropna(axis="columns", how="all")
