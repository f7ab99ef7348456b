"""Formats the results of the latest run as Markdown, LaTeX, or a self-contained HTML page."""

import base64
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from string import Template

import numpy as np
import soundfile
from markupsafe import Markup, escape
from rich.console import Console
from tabulate import tabulate

from mirpipe.audio import gain_for_level, load_mono
from mirpipe.audio.gain import apply_gain
from mirpipe.cli.interval_chart import Row, interval_chart
from mirpipe.cli.result_tables import Section, result_sections
from mirpipe.cli.table_layout import text_cells
from mirpipe.db import queries
from mirpipe.db.queries.comparison_sentences import mode_name
from mirpipe.db.queries.metric_names import metric_name
from mirpipe.db.queries.same_recordings import relation_name
from mirpipe.errors import ConfigurationError, MirpipeError
from mirpipe.settings import settings
from mirpipe.storage.local_copies import local_copy

MAX_TARGETS = 20
"""Number of targets with players on an HTML page, so that it stays small."""
SECONDS, SAMPLE_RATE = 20.0, 32_000
"""Duration and sample rate of the players' audio."""
LEVEL_DBFS = -23.0
"""Level of all players. A track that would clip is quieter."""

_PAGE = Path(__file__).with_name("report_page.html")
_MARKDOWN = str.maketrans(
    {character: f"\\{character}" for character in "\\|*_[]`!"} | {"<": "&lt;"}
)
_COMMAND = re.compile(r"(`mirpipe [a-z -]+`)")
_ASCII = str.maketrans(
    {"∞": "-inf", "\N{FIRST STRONG ISOLATE}": "", "\N{POP DIRECTIONAL ISOLATE}": ""}
)
"""Characters for which LaTeX's default fonts have no sign."""
_LATEX_MINUS = "$-$"
_LATEX = str.maketrans(
    {character: f"\\{character}" for character in "&%$#_{}"}
    | {character: rf"\ensuremath{{{character}}}" for character in "<>±"}
    | {"−": _LATEX_MINUS}
    | {"~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\\": r"\textbackslash{}"}
)


def markdown() -> str:
    """Return the results as Markdown, with tables as GitHub shows them."""
    parts = []
    for section in _sections():
        if section.title:
            parts.append(f"## {_markdown_text(section.title)}")
        if section.table:
            parts.append(_table(section, "github", _markdown_text))
        if section.remark:
            parts.append(_markdown_text(section.remark))
        parts.extend(f"- {_markdown_text(line.removeprefix('- '))}" for line in section.sentences)
    return "\n\n".join(parts) + "\n"


def _markdown_text(text: str) -> str:
    """Return text whose characters are shown literally, except for commands as code."""
    parts = _COMMAND.split(text)
    return "".join(
        part if number % 2 else part.translate(_MARKDOWN) for number, part in enumerate(parts)
    )


def latex() -> str:
    """Return the results as LaTeX. The document needs the packages booktabs and longtable."""
    parts = []
    for section in _sections():
        if section.table:
            table = _table(section, "latex_booktabs", lambda text: text.translate(_ASCII))
            table = table.replace("−", _LATEX_MINUS)
            begin, _, rest = table.partition("\n")
            columns = begin.removeprefix("\\begin{tabular}")
            caption = f"\\caption{{{_latex_text(section.title)}}} \\\\"
            body = rest.removesuffix("\\end{tabular}")
            parts.append(f"\\begin{{longtable}}{columns}\n{caption}\n{body}\\end{{longtable}}")
        elif section.title:
            parts.append(_latex_text(section.title))
        parts.extend(_latex_text(line) for line in (section.remark, *section.sentences) if line)
    return "\n\n".join(parts) + "\n"


def html() -> str:
    """Return the results as one page without links to other files: sentences, charts and tables.

    The page contains players for the best matches and the clips of at most MAX_TARGETS targets.
    """
    answers, *others = map(_html_section, _sections())
    run = queries.latest_run()
    return _page(
        f"Run {run.run_id}, {run.finished_at:%Y-%m-%d %H:%M} UTC" if run else "No run",
        [answers, *_charts(), *others],
        "Listen to the best matches and the clips",
        f"At most {MAX_TARGETS} targets are listed: those with the lowest z.",
        _players(),
    )


def html_page(
    heading: str, sections: Iterable[Section], listen: str, players: Iterable[Mapping[int, str]]
) -> str:
    """Return one page with the sections, and a row of players for each mapping of track ids.

    `listen` is the heading above the players. A mapping contains the label of each track.
    """
    return _page(heading, map(_html_section, sections), listen, "", map(_row, players))


def _page(
    heading: str, results: Iterable[Markup], listen: str, remark: str, players: Iterable[Markup]
) -> str:
    explanation = f"The first {SECONDS:g} s of each track, with the same loudness. {remark}"
    return Template(_PAGE.read_text(encoding="utf-8")).substitute(
        heading=escape(heading),
        results="\n".join(results),
        listen=escape(listen),
        explanation=explanation.strip(),
        players="\n".join(players),
    )


def _sections() -> list[Section]:
    """Return the sections. Raises ConfigurationError if there are no results yet."""
    sections = list(result_sections())
    if not any(section.table for section in sections):
        raise ConfigurationError(
            "There are no results yet, because there are no targets with references. Run `mirpipe "
            "ingest` for both collections, then `mirpipe run`."
        )
    return sections


def _table(section: Section, style: str, escape: Callable[[str], str]) -> str:
    """Return the section's table in a format of tabulate, with each cell as it is."""
    assert section.table
    headings, rows = text_cells(section.table, Console())
    right = [column.justify == "right" for column in section.table.columns]
    text: str = tabulate(
        [[escape(cell.plain) for cell in row] for row in rows],
        headers=[escape(heading.plain) for heading in headings],
        tablefmt=style,
        colalign=["right" if is_right else "left" for is_right in right],
        disable_numparse=True,
    )
    return text


def _latex_text(text: str) -> str:
    return text.translate(_ASCII).translate(_LATEX)


def _html_section(section: Section) -> Markup:
    heading = Markup("<h2>{}</h2>").format(section.title) if section.title else Markup("")
    table = Markup("")
    if section.table:  # tabulate escapes the cells
        table = Markup(
            "<div class='scroll' tabindex='0' role='region' aria-label='{}'>{}</div>"
        ).format(section.title, Markup(_table(section, "html", lambda text: text)))
    lines = [line.removeprefix("- ") for line in (*section.sentences, section.remark) if line]
    return heading + table + Markup("").join(Markup("<p>{}</p>").format(line) for line in lines)


def _charts() -> Iterator[Markup]:
    """Yield a chart of the primary metric of retrieval, and one of that of generation."""
    metric = queries.primary_metric_of_run(
        queries.encoder_comparisons(), settings().primary_retrieval_metric
    )
    rows = [
        Row(_marked(each.encoder, each), each.mean, each.low, each.high, each.n)
        for each in queries.retrieval_summaries()
        if each.metric == metric
    ]
    yield interval_chart(f"Best matches: {metric_name(metric)}, mean and 95% interval", rows)
    metric = queries.primary_metric_of_run(
        queries.mode_comparisons(), settings().primary_generation_metric
    )
    rows = [
        Row(
            _marked(f"{each.generator}, {mode_name(each.mode, each.guidance)}", each),
            each.mean,
            each.low,
            each.high,
            each.n,
        )
        for each in queries.generation_summaries()
        if each.metric == metric
    ]
    yield interval_chart(f"Clips: {metric_name(metric)}, mean and 95% interval", rows)


def _marked(name: str, row: queries.RetrievalSummary | queries.GenerationSummary) -> str:
    return f"{name} (random weights)" if row.random or row.metric_random else name


def _players() -> Iterator[Markup]:
    """Yield a row of players for each listed target: target, best matches and clips."""
    matches: dict[int, list[queries.Match]] = {}
    for match in queries.best_matches(most_targets=MAX_TARGETS):
        matches.setdefault(match.target_id, []).append(match)
    for target_id in matches:
        tracks = {target_id: f"Target: {matches[target_id][0].target}"}
        for match in matches[target_id]:
            relation = f" ({relation_name(match.relation)})" if match.relation else ""
            label = f"Best match by {match.encoder}: {match.reference}{relation}"
            tracks[match.reference_id] = (
                f"{tracks[match.reference_id]}; {label}" if match.reference_id in tracks else label
            )
        for clip in queries.clips_of_target(target_id):
            if clip.seed == 0:
                mode = mode_name(clip.mode, clip.guidance)
                tracks[clip.track_id] = f"Clip by {clip.generator}, {mode}"
        yield _row(tracks)


def _row(tracks: Mapping[int, str]) -> Markup:
    """Return the players of these tracks, from labels by track id, at the same level."""
    figure = Markup(
        "<figure><figcaption><bdi>{label}</bdi></figcaption>"
        "<audio controls preload='none' aria-label='{label}' src='data:audio/ogg;base64,{audio}'>"
        "</audio></figure>"
    )
    missing = Markup("<figure><figcaption><bdi>{}</bdi>: {}</figcaption></figure>")
    files = queries.file_locations(list(tracks))
    figures = []
    for track_id, label in tracks.items():
        audio = _first_readable(files.get(track_id, []))
        if audio is None:
            figures.append(missing.format(label, "the audio file is missing or unreadable"))
        else:
            figures.append(figure.format(label=label, audio=base64.b64encode(audio).decode()))
    return Markup("<div class='row'>{}</div>").format(Markup("").join(figures))


def _first_readable(files: Sequence[queries.FileLocation]) -> bytes | None:
    """Return the excerpt of the first file that can be read, or None if there is none."""
    for file in files:
        try:
            return _excerpt(file)
        except (MirpipeError, OSError):
            continue
    return None


def _excerpt(file: queries.FileLocation) -> bytes:
    """Return the first seconds of a file as Ogg Vorbis, at the level of all players."""
    with local_copy(file.path, file.etag) as path:
        samples = load_mono(path, SAMPLE_RATE, max_seconds=SECONDS)
    peak = float(np.abs(samples).max(initial=0))
    gain = min(gain_for_level(file.rms_dbfs, LEVEL_DBFS), 1 / peak) if peak else 1.0
    buffer = io.BytesIO()
    soundfile.write(buffer, apply_gain(samples, gain), SAMPLE_RATE, format="OGG", subtype="VORBIS")
    return buffer.getvalue()
