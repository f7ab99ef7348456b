"""The results of the latest run as tables and sentences, which can be printed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from rich.table import Table

from mirpipe.cli.ranking_table import ranking_table
from mirpipe.cli.table_layout import print_table
from mirpipe.cli.terminal_text import marked_title, printable_title, wide_console
from mirpipe.db import queries
from mirpipe.db.queries.comparison_sentences import summary_sentences
from mirpipe.db.queries.metric_names import NOT_SCORES, metric_name
from mirpipe.db.queries.number_text import number_text
from mirpipe.db.queries.same_recordings import same_recording_sentence
from mirpipe.settings import settings

_MATCH_METRICS = {
    "cosine": ("cosine", 3),
    "z": ("z", 2),
    "percentile": ("percentile", 1),
    "aligned_melody": ("aligned melody", 3),
    "melody_accuracy_melodic": ("melody accuracy", 3),
    "melody_accuracy_corrected": ("chance-corrected", 3),
    "clap_similarity": ("CLAP similarity", 3),
}
"""Heading and number of decimals for each best-match metric."""

_AESTHETICS = {f"aesthetics_{axis}": (axis.upper(), 2) for axis in ("ce", "cu", "pc", "pq")}
"""Heading and number of decimals for each Audiobox Aesthetics axis."""

_DISTANCES = {"kad": "KAD", "fad_inf": "FAD∞"}

MAX_TARGETS = 100
"""Largest number of targets whose best matches are listed."""
_LISTED_TARGETS = (
    f"These are the {MAX_TARGETS} of {{:,}} targets with the lowest z. The dashboard and "
    "`mirpipe db psql -c 'TABLE v_retrieval'` show all targets."
)
_STATISTICS = "mean ± sd over targets (n targets) [95% interval]"
"""Explanation of cells that contain a mean."""
_MEANING_OF_Z = (
    "z and percentile show how far a match stands out from the library, not how good it is."
)


@dataclass(frozen=True)
class Section:
    """One part of the results."""

    title: str
    table: Table | None = None
    remark: str = ""
    """Explanation of the table."""
    sentences: Sequence[str] = ()


def print_results(file: IO[str] | None = None) -> None:
    """Print the summaries, the best match of each target, and the established differences.

    If `file` is None, the results are printed to stdout.
    """
    print_sections(result_sections(), file)


def print_sections(sections: Iterable[Section], file: IO[str] | None = None) -> None:
    """Print the title, table, remark and sentences of each section. The default is stdout."""
    console = wide_console(file)
    for section in sections:
        if section.table:
            print_table(console, section.table, title=section.title)
        elif section.title:
            console.print(section.title, markup=False)
        if section.remark:
            console.print(section.remark, style="dim")
        for sentence in section.sentences:
            console.print(sentence, markup=False, highlight=False)


def result_sections() -> Iterator[Section]:
    """Yield the results of the latest run: tables, and sentences about them."""
    summaries = queries.retrieval_summaries()
    if not summaries:
        yield Section("", remark="no results yet: there are no targets with references")
        return
    encoder_comparisons, mode_comparisons = (
        queries.encoder_comparisons(),
        queries.mode_comparisons(),
    )
    generated = queries.generation_summaries()
    run = queries.latest_run()
    answers = [
        *([queries.run_answer(run)] if run else []),
        *queries.retrieval_answer(
            summaries,
            encoder_comparisons,
            primary_metric=settings().primary_retrieval_metric,
        ),
        *queries.choice_sentences(
            "retrieval",
            queries.primary_metric_of_run(encoder_comparisons, settings().primary_retrieval_metric),
        ),
        *queries.generation_answer(
            generated,
            mode_comparisons,
            primary_metric=settings().primary_generation_metric,
        ),
        same_recording_sentence(queries.same_recordings()),
        queries.ranking_measurement_sentences(),
        *_imported_vectors(queries.encoder_revisions()),
    ]
    if generated:
        metric = settings().primary_generation_metric
        metric = queries.primary_metric_of_run(mode_comparisons, metric)
        answers += queries.choice_sentences("generation", metric)
    yield Section("", sentences=list(filter(None, answers)))
    if rankings := ranking_table():
        yield Section(
            "Do matches have the same label as their target? (number of targets)", rankings
        )
    yield Section(
        f"Best match of each target: {_STATISTICS}",
        _match_summary_table(_MATCH_METRICS, summaries),
        remark=_MEANING_OF_Z,
    )
    rated = [summary for summary in summaries if summary.metric in _AESTHETICS]
    if rated:
        model = "a model with random weights" if rated[0].metric_random else "Audiobox Aesthetics"
        yield Section(
            f"Best match of each target, rated from 1 to 10 by {model}: {_STATISTICS}",
            _match_summary_table(_AESTHETICS, summaries),
        )
    targets = max(summary.n for summary in summaries)
    yield Section(
        "Best matches",
        _match_table(queries.best_matches(most_targets=MAX_TARGETS)),
        remark=_LISTED_TARGETS.format(targets) if targets > MAX_TARGETS else "",
    )
    if generated:
        yield Section(
            f"Generated clips, compared with their targets: {_STATISTICS}",
            _generation_table(generated),
        )
    if distances := [each for each in queries.set_distances() if each.is_finding]:
        yield Section(
            "Distance from all clips of a mode to all references (n clips); 0 means no distance",
            _distance_table(distances),
        )
    differences = [
        *summary_sentences(encoder_comparisons),
        *summary_sentences(mode_comparisons),
    ]
    if differences:
        yield Section(
            "Which differences are established?",
            remark="(declared contrasts, sign-flip tests over targets, corrected p < 0.05)",
            sentences=[f"- {sentence}" for sentence in differences],
        )


def _imported_vectors(revisions: Sequence[queries.EncoderRevision]) -> Iterator[str]:
    """Yield one sentence for each active revision that has imported vectors."""
    for revision in revisions:
        if revision.serving and revision.imported_n:
            yield (
                f"{revision.imported_n:,} vectors of {revision.encoder} were imported. How they "
                "were computed is unknown."
            )


def _match_summary_table(
    metrics: Mapping[str, tuple[str, int]], summaries: Sequence[queries.RetrievalSummary]
) -> Table:
    """Return a table with one row per encoder and one column per metric that has values."""
    existing = {summary.metric for summary in summaries}
    metrics = {metric: shown for metric, shown in metrics.items() if metric in existing}
    table = Table()
    table.add_column("encoder")
    for heading, _ in metrics.values():
        table.add_column(heading, justify="right")
    random_encoders = {
        summary.encoder for summary in summaries if summary.random and not summary.metric_random
    }
    cells: dict[str, dict[str, str]] = {}
    for summary in summaries:
        name = summary.encoder
        if name in random_encoders:
            name = f"{name} (random weights)"
        if summary.metric in metrics:
            _, digits = metrics[summary.metric]
            cells.setdefault(name, {})[summary.metric] = _mean(summary, digits)
    for name, by_metric in cells.items():
        table.add_row(name, *(by_metric.get(metric, "") for metric in metrics))
    return table


def _mean(summary: queries.RetrievalSummary | queries.GenerationSummary, digits: int) -> str:
    """Return the mean, the standard deviation and the number of targets, above the interval."""
    if summary.mean is None or summary.sd is None:
        return "–"
    form = f".{digits}f"
    text = f"{number_text(summary.mean, form)} ± {summary.sd:{form}} ({summary.n})"
    if summary.low is None or summary.high is None:
        return text
    return f"{text}\n[{number_text(summary.low, form)}, {number_text(summary.high, form)}]"


def _match_table(matches: list[queries.Match]) -> Table:
    """Return a table with one row per target and encoder, after a row per left-out match."""
    table = Table()
    for heading in ("target", "encoder", "best match"):
        table.add_column(heading, overflow="fold")
    for heading in ("cosine", "z", "aligned melody", "melody accuracy"):
        table.add_column(heading, justify="right")
    previous_target = None
    for match in matches:
        table.add_row(
            "" if match.target_id == previous_target else printable_title(match.target),
            match.encoder,
            marked_title(match.reference, match.relation),
            number_text(match.cosine, ".3f"),
            "–" if match.z is None else number_text(match.z, ".2f"),
            "–" if match.aligned_melody is None else number_text(match.aligned_melody, ".3f"),
            _melody(match),
        )
        previous_target = match.target_id
    return table


def _melody(match: queries.Match) -> str:
    if match.melody_accuracy is None:
        return "–"
    return number_text(match.melody_accuracy, ".3f") if match.melodic else "unpitched"


def _generation_table(summaries: Sequence[queries.GenerationSummary]) -> Table:
    """Return a table with one row per metric, and one column per generator and mode."""
    table = Table()
    table.add_column("metric")
    headings = dict.fromkeys(_generator_heading(summary) for summary in summaries)
    for heading in headings:
        table.add_column(heading, justify="right")
    random_metrics = {summary.metric for summary in summaries if summary.metric_random}
    cells = {
        (summary.metric, _generator_heading(summary)): _mean(summary, 3) for summary in summaries
    }
    for metric in sorted({summary.metric for summary in summaries} - NOT_SCORES):
        name = metric_name(metric)
        if metric in random_metrics:
            name = f"{name} (random weights)"
        table.add_row(name, *(cells.get((metric, heading), "") for heading in headings))
    return table


def _distance_table(distances: Sequence[queries.SetDistance]) -> Table:
    """Return a table with one row per distance and encoder, and one column per mode."""
    table = Table()
    table.add_column("distance")
    table.add_column("encoder")
    headings = dict.fromkeys(_generator_heading(distance) for distance in distances)
    for heading in headings:
        table.add_column(heading, justify="right")
    cells = {
        (distance.metric, distance.encoder, _generator_heading(distance)): (
            f"{number_text(distance.value, '.4f')} ({distance.n})"
        )
        for distance in distances
        if distance.value is not None
    }
    for metric, encoder in dict.fromkeys((row.metric, row.encoder) for row in distances):
        values = (cells.get((metric, encoder, heading), "") for heading in headings)
        table.add_row(_DISTANCES[metric], encoder, *values)
    return table


def _generator_heading(row: queries.GenerationSummary | queries.SetDistance) -> str:
    """Return a heading of three lines: generator, mode and guidance."""
    name = f"{row.generator} (random weights)" if row.random else row.generator
    guidance = "no guidance" if row.guidance is None else f"guidance {row.guidance:g}"
    return f"{name}\n{row.mode}\n{guidance}"
