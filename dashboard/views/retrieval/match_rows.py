"""The table of best matches, for the page and for its CSV file."""

from collections.abc import Sequence
from dataclasses import asdict, replace

import pandas as pd

from mirpipe.db import queries
from mirpipe.db.queries.same_recordings import relation_name


def meaningful_scores(rows: Sequence[queries.BestMatchScores]) -> list[queries.BestMatchScores]:
    """Return the matches without the melody accuracies of pairs that are not both pitched."""
    return [replace(row, melody_accuracy=None) if row.melodic is False else row for row in rows]


def match_rows(rows: Sequence[queries.BestMatchScores]) -> pd.DataFrame:
    """Return one row per best match, without columns that have no value."""
    data = pd.DataFrame([asdict(row) for row in meaningful_scores(rows)])
    data["relation"] = data["relation"].map(relation_name, na_action="ignore")
    hidden = ["target_id", "reference_id", "counts"]
    return data.drop(columns=hidden).dropna(axis="columns", how="all")
