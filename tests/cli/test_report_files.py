"""Reports as files: all tables are complete, titles are literal text, and the page has players."""

import base64
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from mirpipe.cli import report_files
from mirpipe.cli.main import app
from mirpipe.cli.result_tables import result_sections
from mirpipe.db import queries
from mirpipe.errors import ConfigurationError
from mirpipe.settings import settings
from mirpipe.stages.retrieve import retrieve
from tests.dashboard.example_library import Model, Piece, fill
from tests.dashboard.open_page import HOSTILE, MODELS, PIECES
from tests.support.databases import Database
from tests.support.synthetic_library import SyntheticLibrary


@pytest.fixture
def _filled(fresh_database: Database) -> None:
    with fresh_database.app.begin() as connection:
        fill(connection, PIECES, MODELS)


class Page(HTMLParser):
    """The text and the attributes of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.mark.usefixtures("_filled")
def test_the_page_has_all_tables_and_a_player_for_each_best_match() -> None:
    page = Page(report_files.html())
    titles = [section.title for section in result_sections() if section.title]
    assert set(titles) <= set(page.text)
    tables = [values for tag, values in page.tags if tag == "table"]
    assert sum(table.get("class") != "chart" for table in tables) == sum(
        section.table is not None for section in result_sections()
    )
    players = [values for tag, values in page.tags if tag == "audio"]
    labels = [values["aria-label"] or "" for values in players]
    assert any(label == f"Target: {HOSTILE}" for label in labels)
    assert any(label.startswith("Best match by musicnn: ") for label in labels)
    for player in players:
        audio = base64.b64decode((player["src"] or "").removeprefix("data:audio/ogg;base64,"))
        assert 1 < soundfile.info(io.BytesIO(audio)).duration <= report_files.SECONDS
    assert "the audio file is missing or unreadable" in "".join(page.text)


@pytest.mark.usefixtures("_filled")
def test_the_page_draws_the_primary_metric_of_each_encoder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MIRPIPE_PRIMARY_RETRIEVAL_METRIC", "melody_accuracy")
    settings.cache_clear()
    page = report_files.html()
    (chart,) = re.findall(r"<table class='chart'>.*?</table>", page, re.S)
    encoders = [row for row in queries.retrieval_summaries() if row.metric == "melody_accuracy"]
    assert chart.count("<circle") == len(encoders) == 2
    assert "<bdi>untrained (random weights)</bdi>" in chart


@pytest.mark.usefixtures("_filled")
def test_the_page_needs_no_other_file() -> None:
    page = Page(report_files.html())
    addresses = [
        value or ""
        for _, values in page.tags
        for name, value in values.items()
        if name in {"src", "href", "srcset", "action", "data"}
    ]
    assert addresses
    assert all(address.startswith("data:") for address in addresses)


@pytest.mark.usefixtures("_filled")
def test_titles_are_never_read_as_markup() -> None:
    assert not any(tag in {"b", "a"} for tag, _ in Page(report_files.html()).tags)
    rows = [line for line in report_files.markdown().splitlines() if "康定情歌" in line]
    assert len({row.count("|") for row in rows}) == 1
    assert r"\*\*x\*\* &lt;b>$a$&lt;/b> :smile: \[l\](http://x)" in report_files.markdown()
    assert r"$a$" not in report_files.latex()
    assert r"\$a\$" in report_files.latex()


@pytest.mark.usefixtures("_filled")
def test_latex_has_only_signs_of_its_default_fonts_besides_titles() -> None:
    latex = report_files.latex()
    assert "<" not in latex.replace(r"\ensuremath{<}", "")
    assert not set(latex) & set("∞−\N{FIRST STRONG ISOLATE}\N{POP DIRECTIONAL ISOLATE}")
    assert latex.count(r"\begin{longtable}") == latex.count(r"\end{longtable}") > 1
    assert "tabular}" not in latex


def test_a_track_that_begins_with_silence_has_a_player(
    fresh_database: Database, tmp_path: Path
) -> None:
    path = tmp_path / "silent at first.wav"
    silence, tone = np.zeros(22 * 8000), np.sin(np.arange(8 * 8000))
    soundfile.write(path, np.concatenate([silence, tone]), 8000)
    pieces = [Piece("target", "silent at first", path), *PIECES[3:]]
    with fresh_database.app.begin() as connection:
        fill(connection, pieces, MODELS)
    page = Page(report_files.html())
    labels = [values["aria-label"] for tag, values in page.tags if tag == "audio"]
    assert "Target: silent at first" in labels


@pytest.mark.usefixtures("_filled")
def test_the_meaning_of_z_is_a_sentence() -> None:
    (remark,) = (each.remark for each in result_sections() if "how good" in each.remark)
    assert remark.endswith("not how good it is.")


def test_negative_numbers_have_a_minus_sign(fresh_database: Database) -> None:
    with fresh_database.app.begin() as connection:
        fill(connection, PIECES, (Model("low", -0.6, 0.001), Model("lower", -0.7, 0.001)))
    html = "".join(Page(report_files.html()).text)
    for text, minus in (
        (html, "−"),
        (report_files.markdown(), "−"),
        (report_files.latex(), "$-$"),
    ):
        assert f"{minus}0.6" in text
        assert not re.findall(r"[^\w.$-]-\d+\.\d", text)


@pytest.mark.usefixtures("_filled")
def test_every_number_of_the_tables_is_in_every_format() -> None:
    html = "".join(Page(report_files.html()).text)
    for text in (report_files.markdown(), report_files.latex(), html):
        for section in result_sections():
            cells = section.table.columns[-1].cells if section.table else []
            for number in re.findall(r"\d+\.\d+", " ".join(map(str, cells))):
                assert number in text


@pytest.mark.usefixtures("fresh_database")
def test_without_results_there_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="Run `mirpipe ingest` for both"):
        report_files.markdown()
    path = tmp_path / "report.html"
    assert CliRunner().invoke(app, ["report", "--html", str(path)]).exit_code != 0
    assert not path.exists()


def test_the_command_writes_each_format(fresh_database: Database, tmp_path: Path) -> None:
    library = SyntheticLibrary(fresh_database.app)
    for collection in ("reference", "target"):
        library.add(collection, collection, [1, 0, 0], title=f"the {collection}")
    retrieve()
    formats = ("html", "markdown", "latex")
    result = CliRunner().invoke(
        app, ["report", *(f"--{name}={tmp_path / name}" for name in formats)]
    )
    assert result.exit_code == 0, result.output
    html, markdown, latex = ((tmp_path / name).read_text() for name in formats)
    assert html.startswith("<!doctype html>")
    assert "| the target" in markdown
    assert "\\toprule" in latex
    assert "\\begin{longtable}" in latex


@pytest.mark.parametrize("name", ["html", "markdown", "latex"])
def test_no_run_is_published_if_a_file_cannot_be_written(
    fresh_database: Database, tmp_path: Path, name: str
) -> None:
    library = SyntheticLibrary(fresh_database.app)
    for collection in ("reference", "target"):
        library.add(collection, collection, [1, 0, 0])
    retrieve()
    file = tmp_path / "none" / "report"
    result = CliRunner().invoke(app, ["report", f"--{name}={file}"])
    assert result.exit_code == 1
    assert str(result.exception) == (
        f"Cannot write {file}: No such file or directory. Choose another file."
    )
    assert queries.latest_run() is None
