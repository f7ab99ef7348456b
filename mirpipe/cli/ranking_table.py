"""A table of how well the encoders rank references: agreement of labels, and hubness."""

from collections.abc import Sequence

from rich.table import Table

from mirpipe.db import queries
from mirpipe.db.queries.number_text import number_text

_LABEL_METRICS = {"p_at_1": "P@1", "map": "mAP"}
_HUB_K = 5
"""Number of matches per target that are counted for the hubness."""


def ranking_table() -> Table | None:
    """Return P@1 and mAP per label, and the hubness, for rankings by cosine and by CSLS.

    Returns None if no target shares a label with a reference.
    """
    rankings = [
        ranking
        for ranking in queries.label_rankings()
        if ranking.queries == "targets" and ranking.n
    ]
    return _table(rankings, queries.hubness()) if rankings else None


def _table(rankings: Sequence[queries.LabelRanking], hubness: Sequence[queries.Hubness]) -> Table:
    labels = list(dict.fromkeys(ranking.label for ranking in rankings))
    targets_by_label = {ranking.label: ranking.n for ranking in rankings}
    columns = [(label, metric) for label in labels for metric in _LABEL_METRICS]
    table = Table()
    table.add_column("encoder")
    table.add_column("ranked by")
    for label, metric in columns:
        heading = f"{label} {_LABEL_METRICS[metric]} ({targets_by_label[label]})"
        table.add_column(heading, justify="right")
    table.add_column(f"hubness (skewness of N{_HUB_K})", justify="right")
    skewness = {
        (row.encoder, row.rerank): row.skewness
        for row in hubness
        if row.queries == "targets" and row.k == _HUB_K
    }
    means: dict[tuple[str, str], dict[tuple[str, str], float | None]] = {}
    random_encoders = {ranking.encoder for ranking in rankings if ranking.random}
    for ranking in rankings:
        row_means = means.setdefault((ranking.encoder, ranking.rerank), {})
        row_means[ranking.label, ranking.metric] = ranking.mean
    for (encoder, rerank), row_means in means.items():
        name = f"{encoder} (random weights)" if encoder in random_encoders else encoder
        values = [*(row_means.get(column) for column in columns), skewness.get((encoder, rerank))]
        cells = ("–" if value is None else number_text(value, ".2f") for value in values)
        table.add_row(name, rerank, *cells)
    return table
