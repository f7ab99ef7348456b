"""What Retrieval and Generation say by genre and instrument of the targets."""

from pathlib import Path

from sqlalchemy import text

from tests.dashboard.clips import UNGUIDED, Maker, describe, make
from tests.dashboard.pages import PIECES, page, written
from tests.support.databases import Database


def table(shown: str, name: str) -> str:
    """The HTML of one table."""
    return shown[shown.index(f"aria-label='{name}'") :].partition("</table>")[0]


def test_answers_are_averaged_by_the_targets_label(filled: Database) -> None:
    app = page("retrieval", measure="z")
    groups = table(written(app), "Retrieval by genre")
    assert "&lt;i&gt;jazz&lt;/i&gt;" in groups
    with filled.reader.connect() as connection:
        means = connection.execute(
            text("SELECT mean FROM mirpipe.v_retrieval_group_summary WHERE metric = 'z'")
        ).scalars()
        for mean in means:
            assert f"{mean:.2f}" in groups
    assert "stand-in (random weights)" in groups
    assert any("2 targets carry no genre" in one.value for one in app.caption)


def test_a_label_that_no_target_has_says_where_labels_come_from(filled: Database) -> None:
    app = page("retrieval", by="instrument")
    assert any("No target has a label of this kind" in one.value for one in app.info)
    assert any("--manifest labels.csv" in one.value for one in app.code)


def test_clips_are_averaged_by_the_targets_label(filled: Database, tmp_path: Path) -> None:
    with filled.app.begin() as connection:
        describe(connection)
        make(connection, [Maker("resynth", UNGUIDED)], tmp_path, PIECES[0].path)
    groups = table(written(page("generation")), "Generation by genre")
    assert "resynth simple" in groups
    assert "&lt;i&gt;jazz&lt;/i&gt;" in groups
