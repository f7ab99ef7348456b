"""Tests of the summaries by genre and instrument on the Retrieval and Generation pages."""

from pathlib import Path

from sqlalchemy import text

from tests.dashboard.example_clips import UNGUIDED, Maker, describe, make
from tests.dashboard.open_page import PIECES, html, page
from tests.support.databases import Database


def table(shown: str, name: str) -> str:
    """Return the HTML of one table."""
    return shown[shown.index(f"aria-label='{name}'") :].partition("</table>")[0]


def test_matches_are_averaged_by_the_targets_label(filled: Database) -> None:
    app = page("retrieval", measure="z")
    groups = table(html(app), "Retrieval by genre")
    assert "&lt;i&gt;jazz&lt;/i&gt;" in groups
    with filled.reader.connect() as connection:
        means = connection.execute(
            text("SELECT mean FROM mirpipe.v_retrieval_group_summary WHERE metric = 'z'")
        ).scalars()
        for mean in means:
            assert f"{mean:.2f}" in groups
    assert "untrained (random weights)" in groups
    axes = [chart.proto.spec for chart in app.get("vega_lite_chart")]
    assert any('"title":"mean z"' in spec.replace(": ", ":") for spec in axes)
    assert any("no genre are left out: 2" in element.value for element in app.caption)


def test_a_missing_label_says_where_labels_come_from(filled: Database) -> None:
    app = page("retrieval", by="instrument")
    assert any("No target has the label instrument" in element.value for element in app.info)
    assert any("--manifest labels.csv" in element.value for element in app.code)


def test_clips_are_averaged_by_the_targets_label(filled: Database, tmp_path: Path) -> None:
    with filled.app.begin() as connection:
        describe(connection)
        make(connection, [Maker("resynth", UNGUIDED)], tmp_path, PIECES[0].path)
    groups = table(html(page("generation")), "Generation by genre")
    assert "resynth simple" in groups
    assert "&lt;i&gt;jazz&lt;/i&gt;" in groups
