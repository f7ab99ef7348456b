"""The results of the latest run as tables, with titles of any script in line."""

from collections.abc import Mapping, Sequence
from typing import IO
from unicodedata import bidirectional

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mirpipe.cli.established_differences import print_findings
from mirpipe.cli.ranking_tables import print_rankings
from mirpipe.db import queries
from mirpipe.db.queries.metric_names import BOUNDS, metric_name

_METRICS = {
    "cosine": ("cosine", 3),
    "z": ("z", 2),
    "percentile": ("percentile", 1),
    "melody_accuracy_melodic": ("melody accuracy", 3),
    "melody_accuracy_corrected": ("beyond chance", 3),
    "aligned_melody": ("aligned melody", 3),
    "clap_similarity": ("CLAP similarity", 3),
}

_AESTHETICS = {f"aesthetics_{axis}": (axis.upper(), 2) for axis in ("ce", "cu", "pc", "pq")}

_DISTANCES = {"kad": "KAD", "fad_inf": "FAD∞"}

_WHAT = "mean ± sd (n) [95 % interval over targets]"

_RIGHT_TO_LEFT = {"R", "AL", "AN"}

PLAIN_COLUMNS = 160
"""Width where the output is no terminal."""


def wide_console(file: IO[str] | None = None) -> Console:
    """What a table is printed on: as wide as the terminal, or PLAIN_COLUMNS where there is none."""
    console = Console(file=file)
    return console if console.is_terminal else Console(file=file, width=PLAIN_COLUMNS)


def print_results(file: IO[str] | None = None) -> None:
    """Print the summaries, each target's nearest reference, and what is established."""
    console = wide_console(file)
    summaries = queries.summary()
    if not summaries:
        console.print("no results yet: the library holds no targets with references", style="dim")
        return
    _print(console, f"Nearest reference of every target, {_WHAT}", _summary(_METRICS, summaries))
    scored = [one for one in summaries if one.metric in _AESTHETICS]
    if scored:
        by = "a model with random weights" if scored[0].metric_random else "Audiobox Aesthetics"
        title = f"As {by} rates it, 1 to 10, {_WHAT}"
        _print(console, title, _summary(_AESTHETICS, summaries))
    _print(console, "Nearest references", _answers(queries.best_matches()))
    made = queries.generation_summary()
    if made:
        _print(console, f"Clips made of the targets, {_WHAT}", _generations(made))
    distances = [one for one in queries.set_distances() if one.is_finding]
    if distances:
        title = "Clips as a set, their distance (n) from all references together: 0 is alike"
        _print(console, title, _distances(distances))
    print_rankings(console)
    print_findings(console.file)


def _print(console: Console, title: str, table: Table) -> None:
    """A table below its title, which is not folded to the table's width."""
    console.print(title, style="italic", markup=False)
    console.print(table)


def _summary(metrics: Mapping[str, tuple[str, int]], summaries: Sequence[queries.Summary]) -> Table:
    known = {one.metric for one in summaries}
    metrics = {metric: heading for metric, heading in metrics.items() if metric in known}
    table = Table()
    random = {one.encoder for one in summaries if one.random and not one.metric_random}
    table.add_column("encoder")
    for heading, _ in metrics.values():
        table.add_column(heading, justify="right")
    cells: dict[str, dict[str, str]] = {}
    for one in summaries:
        name = f"{one.encoder} (random weights)" if one.encoder in random else one.encoder
        if one.metric in metrics:
            cells.setdefault(name, {})[one.metric] = _mean(one, metrics[one.metric][1])
    for name, by_metric in cells.items():
        table.add_row(name, *(by_metric.get(metric, "") for metric in metrics))
    return table


def _mean(summary: queries.Summary | queries.GenerationSummary, digits: int) -> str:
    if summary.mean is None or summary.sd is None:
        return "–"
    shown = f"{summary.mean:.{digits}f} ± {summary.sd:.{digits}f} ({summary.n})"
    if summary.low is None or summary.high is None:
        return shown
    return f"{shown}\n[{summary.low:.{digits}f}, {summary.high:.{digits}f}]"


def _answers(answers: list[queries.Match]) -> Table:
    table = Table()
    for heading in ("target", "encoder", "nearest reference"):
        table.add_column(heading, overflow="fold")
    for heading in ("cosine", "z", "melody"):
        table.add_column(heading, justify="right")
    target = None
    for answer in answers:
        table.add_row(
            "" if answer.target_id == target else plain(answer.target),
            answer.encoder,
            plain(answer.reference),
            f"{answer.cosine:.3f}",
            "–" if answer.z is None else f"{answer.z:.2f}",
            _melody(answer),
        )
        target = answer.target_id
    return table


def _generations(summaries: Sequence[queries.GenerationSummary]) -> Table:
    table = Table()
    table.add_column("metric")
    makers = dict.fromkeys(_maker(one) for one in summaries)
    for maker in makers:
        table.add_column(maker, justify="right")
    random = {one.metric for one in summaries if one.metric_random}
    cells = {(one.metric, _maker(one)): _mean(one, 3) for one in summaries}
    for metric in sorted({one.metric for one in summaries} - BOUNDS):
        name = metric_name(metric)
        heading = f"{name} (random weights)" if metric in random else name
        table.add_row(heading, *(cells.get((metric, maker), "") for maker in makers))
    return table


def _distances(found: Sequence[queries.SetDistance]) -> Table:
    table = Table()
    table.add_column("distance")
    table.add_column("encoder")
    makers = dict.fromkeys(_maker(one) for one in found)
    for maker in makers:
        table.add_column(maker, justify="right")
    cells = {(one.metric, one.encoder, _maker(one)): f"{one.value:.4f} ({one.n})" for one in found}
    for metric, encoder in dict.fromkeys((one.metric, one.encoder) for one in found):
        shown = (cells.get((metric, encoder, maker), "") for maker in makers)
        table.add_row(_DISTANCES[metric], encoder, *shown)
    return table


def _maker(summary: queries.GenerationSummary | queries.SetDistance) -> str:
    """Generator, mode and guidance, as a heading of three lines."""
    name = f"{summary.generator} (random weights)" if summary.random else summary.generator
    guidance = "no guidance" if summary.guidance is None else f"guidance {summary.guidance:g}"
    return f"{name}\n{summary.mode}\n{guidance}"


def _melody(answer: queries.Match) -> str:
    if answer.melody_accuracy is None:
        return "–"
    return f"{answer.melody_accuracy:.3f}" if answer.melodic else "unpitched"


def plain(title: str) -> Text:
    """The title with a mark in place of what a terminal would take for a command.

    One that runs from right to left is set apart, so that it does not turn its neighbours around.
    """
    shown = "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in title)
    if any(bidirectional(one) in _RIGHT_TO_LEFT for one in shown):
        shown = f"\N{FIRST STRONG ISOLATE}{shown}\N{POP DIRECTIONAL ISOLATE}"
    return Text(shown)


def escaped(value: str) -> str:
    """Return the text with brackets that rich would take for markup escaped."""
    return value.replace("[", r"\[")
