"""How well encoders rank, as a table: against each label, and how many hubs they have."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from mirpipe.db import queries

_LABEL_METRICS = {"p_at_1": "P@1", "map": "mAP"}
_HUB_K = 5


def print_rankings(console: Console) -> None:
    """Print P@1 and mAP of the targets by label, and hubness, by cosine and by CSLS; or nothing."""
    found = [one for one in queries.rankings() if one.queries == "targets" and one.n]
    if found:
        console.print(_table(found, queries.hubness()))


def _table(rankings: Sequence[queries.Ranking], hubs: Sequence[queries.Hubness]) -> Table:
    labels = list(dict.fromkeys(one.label for one in rankings))
    counts = {one.label: one.n for one in rankings}
    columns = [(label, metric) for label in labels for metric in _LABEL_METRICS]
    table = Table(title="Targets against labels of the references", title_justify="left")
    table.add_column("encoder")
    table.add_column("ranked by")
    for label, metric in columns:
        table.add_column(f"{label} {_LABEL_METRICS[metric]} ({counts[label]})", justify="right")
    table.add_column(f"skew of N{_HUB_K}", justify="right")
    skew = {
        (one.encoder, one.rerank): one.skewness
        for one in hubs
        if one.queries == "targets" and one.k == _HUB_K
    }
    cells: dict[tuple[str, str], dict[tuple[str, str], float | None]] = {}
    random = {one.encoder for one in rankings if one.random}
    for one in rankings:
        cells.setdefault((one.encoder, one.rerank), {})[one.label, one.metric] = one.mean
    for (encoder, rerank), means in cells.items():
        name = f"{encoder} (random weights)" if encoder in random else encoder
        values = [*(means.get(column) for column in columns), skew.get((encoder, rerank))]
        shown = ("–" if value is None else f"{value:.2f}" for value in values)
        table.add_row(name, rerank, *shown)
    return table
