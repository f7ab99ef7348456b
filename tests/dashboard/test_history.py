"""Tests of the History page: comparison of two runs, trends, and the published tables."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from dashboard.views.history import run_differences
from mirpipe import settings
from mirpipe.db import queries
from mirpipe.db.queries.mode_order import MODE_ORDER
from mirpipe.operations.gate.gate_file import read_gate
from mirpipe.published.load_tables import load
from mirpipe.stages.report import report
from mirpipe.stages.retrieve import retrieve
from tests.dashboard.open_page import HOSTILE, SHOWN, answer_of, html, page
from tests.support.databases import Database, DatabasePool
from tests.support.synthetic_library import SyntheticLibrary


def run_now() -> None:
    """Find matches and publish a run."""
    retrieve()
    report(trigger="test")


@pytest.fixture
def library(fresh_database: Database, database_pool: DatabasePool) -> SyntheticLibrary:
    """Return a library with three runs.

    Before the second run, a more similar reference is added. Before the third run, this reference
    is removed and a target is added.
    """
    return database_pool.fill(fresh_database, _library)


def _library(database: Database, _folder: Path) -> SyntheticLibrary:
    synthetic = SyntheticLibrary(database.app)
    synthetic.add("reference", "east", [1, 0, 0], title=HOSTILE)
    synthetic.add("reference", "up", [0, 0.1, 1])
    synthetic.add("target", "near north", [0.1, 1, 0], title="菊花台")
    run_now()
    north = synthetic.add("reference", "north", [0, 1, 0], title="قمر")
    run_now()
    synthetic.set_state(north, "gone")
    synthetic.execute("UPDATE mirpipe.track SET changed_at = now() WHERE track_id = :id", id=north)
    synthetic.add("target", "near up", [0, 0, 1])
    run_now()
    return synthetic


def notes(app: AppTest) -> str:
    """Return all texts and captions on a page."""
    return "\n".join(element.value for element in [*app.markdown, *app.caption])


def test_the_last_run_is_compared_with_the_one_before(
    library: SyntheticLibrary,
) -> None:
    app = page("history")
    table = app.dataframe[0].value
    assert list(table["target"]) == ["near up", "菊花台"]
    assert list(table["why"]) == ["first match", "removed reference"]
    assert list(table["then"])[1] == "قمر"
    assert "<dt>references</dt><dd>2</dd><dd class='mp-muted'>was 3</dd>" in html(app)
    assert cause_bars(app) == [("first match", "1"), ("removed reference", "1")]
    shown = html(app)
    places = [
        shown.index(part) for part in ("<p class='mp-answer'", "<ul class='mp-bars'", "<table")
    ]
    assert places == sorted(places)


def cause_bars(app: AppTest) -> list[tuple[str, str]]:
    """Return the names and the numbers of the chart of causes."""
    chart = html(app).partition("aria-label='Best matches that differ, by cause'")[2]
    bar = "mp-bar-name'>([^<]*)<.*?mp-number'>([^<]*)<"
    return re.findall(bar, chart.partition("</ul>")[0])


def test_runs_without_a_difference_have_no_chart(library: SyntheticLibrary) -> None:
    library.add("reference", "far", [-1, -1, -1])
    run_now()
    app = page("history")
    assert "<dd>0</dd><dd class='mp-muted'>no changes</dd>" in html(app)
    assert "<ul class='mp-bars'" not in html(app)


def tracks_of_one_run(app: AppTest) -> str:
    """Return the sentences about the tracks that only one of the two runs contains."""
    shown = re.sub("<ul class='mp-bars'.*?</ul>", "", html(app))
    lines = [line for line in shown.split("</div>") if " only in run " in line]
    return "\n".join(re.sub("<[^>]*>", "", line).strip() for line in lines)


def test_the_tracks_that_only_one_run_contains_are_named(library: SyntheticLibrary) -> None:
    app = page("history")
    assert tracks_of_one_run(app) == (
        "1 reference is only in run 2: قمر (file is gone).\n1 target is only in run 3: near up."
    )
    assert html(app).count("href='track?track=") >= 2
    assert tracks_of_one_run(page("history", then="1", now="2")) == (
        "1 reference is only in run 2: قمر."
    )
    assert tracks_of_one_run(page("history", then="1", now="3")) == (
        "1 target is only in run 3: near up."
    )


def test_at_most_ten_tracks_of_one_run_are_named(library: SyntheticLibrary) -> None:
    for number in range(12):
        library.add("reference", f"new {number}", [0, 1, number + 1])
    run_now()
    named = tracks_of_one_run(page("history"))
    assert named.startswith("12 references are only in run 4: new 0, ")
    assert named.endswith("new 9 and 2 more.")


def test_if_not_all_tracks_can_be_named_the_page_says_so(library: SyntheticLibrary) -> None:
    assert "tracks?state=gone" not in html(page("history"))
    library.execute("UPDATE mirpipe.track SET changed_at = first_seen")
    app = page("history")
    assert "Not all references that only one of the runs contains can be named" in html(app)
    assert "href='tracks?state=gone'" in html(app)


def test_the_change_of_a_mean_is_that_of_the_shown_means() -> None:
    def summary(metric: str, mean: float) -> queries.PastSummary:
        time = datetime(2026, 1, 2, tzinfo=UTC)
        return queries.PastSummary(1, time, "a", metric, 3, mean, None, None, "r1", False)

    for metric, then, now, change in (
        ("percentile", 98.151, 98.149, "−0.1"),
        ("z", 2.2649, 2.2851, "+0.03"),
        ("z", 2.26, 2.26, "0.00"),
    ):
        shown = run_differences.mean_change(summary(metric, then), summary(metric, now))
        assert shown == change


def test_a_link_compares_any_two_runs_and_names_every_cause_between(
    library: SyntheticLibrary,
) -> None:
    app = page("history", then="1", now="2")
    table = app.dataframe[0].value
    assert list(table["then"]) == [HOSTILE]
    assert list(table["now"]) == ["قمر"]
    assert list(table["why"]) == ["new reference"]
    app.selectbox(key="now").set_value("3").run()
    assert app.query_params["now"] in ("3", ["3"])
    # The other target has the same match as in the first run.
    assert list(app.dataframe[0].value["target"]) == ["near up"]


def test_differing_best_matches_are_read_and_sent_in_pages(
    library: SyntheticLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_differences, "ROWS_PER_PAGE", 1)
    app = page("history", page="2")
    assert list(app.dataframe[0].value["target"]) == ["菊花台"]
    assert "<dt>best matches that differ</dt><dd>2</dd>" in html(app)
    assert cause_bars(app) == [("first match", "1"), ("removed reference", "1")]
    app.number_input(key="page").set_value(1).run()
    assert list(app.dataframe[0].value["target"]) == ["near up"]


def test_another_run_starts_with_the_first_page(
    library: SyntheticLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_differences, "ROWS_PER_PAGE", 1)
    app = page("history", page="2")
    app.selectbox(key="then").set_value("1").run()
    app.selectbox(key="then").set_value("2").run()
    assert list(app.dataframe[0].value["target"]) == ["near up"]


def test_a_link_to_an_unknown_run_says_so(library: SyntheticLibrary) -> None:
    app = page("history", then="99")
    assert "'99'" in app.warning[0].value
    assert app.selectbox(key="then").value == "2"


def test_summaries_are_shown_then_and_now_with_their_change(library: SyntheticLibrary) -> None:
    shown = html(page("history", then="1", now="2"))
    with library.app.connect() as connection:
        means = connection.execute(
            text(
                "SELECT mean FROM mirpipe.v_retrieval_summary_history "
                "WHERE metric = 'cosine' AND run_id <= 2 ORDER BY run_id"
            )
        ).scalars()
        then, now = means
    for value in (
        f"{then:.3f}<small>n = 1",
        f"{now:.3f}<small>n = 1",
        f"+{round(now, 3) - round(then, 3):.3f}",
    ):
        assert value in shown


def test_unchanged_summaries_can_be_shown(library: SyntheticLibrary) -> None:
    app = page("history", then="2", now="2")
    assert "No summary has changed." in notes(app)
    assert "cosine (own space)" not in html(app)
    app.toggle(key="changed").set_value(False).run()
    assert "cosine (own space)" in html(app)


def test_different_revisions_and_random_weights_are_marked(library: SyntheticLibrary) -> None:
    with library.app.begin() as connection:
        connection.execute(
            text(
                "WITH copy AS ("
                "INSERT INTO mirpipe.encoder (name, revision, dimension, wanted, spec) "
                "SELECT name, 'r2', dimension, false, "
                "spec || '{\"is_random\": true}' "
                "FROM mirpipe.encoder RETURNING encoder_id) "
                "UPDATE mirpipe.run_summary SET encoder_id = copy.encoder_id FROM copy "
                "WHERE run_id = 2"
            )
        )
    shown = html(page("history", then="1", now="2"))
    assert "different revision now" in shown
    assert ">random weights<" in shown


def test_trends_are_drawn_over_runs_and_over_library_size(library: SyntheticLibrary) -> None:
    for over, title in (("run", "run"), ("references", "references in the library")):
        app = page("history", part="trends", over=over)
        [chart] = app.get("vega_lite_chart")
        assert answer_of(app).startswith("The mean z ")
        assert f'"title": "{title}"' in chart.proto.spec.replace('":"', '": "')
    app.selectbox(key="metric").set_value("cosine").run()
    assert not app.exception


def test_a_single_run_says_how_to_get_another(fresh_database: Database) -> None:
    synthetic = SyntheticLibrary(fresh_database.app)
    synthetic.add("reference", "east", [1, 0, 0])
    synthetic.add("target", "near east", [1, 0.1, 0])
    run_now()
    app = page("history")
    assert "only one run so far" in app.info[0].value
    assert "mirpipe ingest" in app.code[0].value
    assert "After the second run" in notes(page("history", part="trends"))


def test_an_empty_database_names_the_next_command(fresh_database: Database) -> None:
    assert "mirpipe up" in page("history").code[0].value
    assert page("history", part="published").code[0].value == "mirpipe published import"


def test_printed_recomputed_and_own_numbers_are_shown(
    library: SyntheticLibrary,
) -> None:
    load()
    shown = html(page("history", part="published"))
    assert "37 of 40 numbers do" in notes(page("history", part="published"))
    row = shown[shown.index("0.802 ± 0.076") :].partition("</tr>")[0]
    assert "0.8026 ± 0.0759" in row
    assert "✗ the nine lines give 0.8026" in row
    assert "this library" in shown
    assert "made_up" in shown
    assert "✓ stands" in shown
    assert "37 of 40 printed numbers follow from the printed lines, and " in shown


def test_a_title_with_markup_is_shown_literally(library: SyntheticLibrary) -> None:
    app = page("history", then="1", now="2")
    assert HOSTILE in list(app.dataframe[0].value["then"])
    assert not any(HOSTILE in element.value for element in [*app.markdown, *app.caption, *app.html])


def test_modes_are_sorted_by_guidance_and_then_simple_first(filled: Database) -> None:
    modes = "(VALUES ('strong', 5.0), ('medium', 3.0), ('simple', 3.0)) m (mode, guidance)"
    with filled.reader.connect() as connection:
        listed = connection.exec_driver_sql(f"SELECT mode FROM {modes} ORDER BY {MODE_ORDER}")
        assert list(listed.scalars()) == ["simple", "medium", "strong"]


def test_a_changed_rule_for_same_recordings_is_named(
    library: SyntheticLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "same recording" not in notes(page("history"))
    monkeypatch.setenv("MIRPIPE_SAME_RECORDING_COUNTS", "true")
    settings.settings.cache_clear()
    report(trigger="test")
    sentence = (
        "In run 4, matches that are the same recording as their target count in all averages. Run "
        "3 leaves them out."
    )
    assert sentence in notes(page("history"))


def judge(
    library: SyntheticLibrary, run_id: int, rule: str, verdict: str, judgement: int = 1
) -> None:
    """Store the verdict of a rule on a run."""
    library.execute(
        "INSERT INTO mirpipe.gate_verdict "
        "(gate, run_id, judgement, rule, number, kind, verdict, value, at_most, detail) VALUES "
        "('weekly', :run_id, :judgement, :rule, 1, 'pending', :verdict, 2, 0, '2 pending items.')",
        run_id=run_id,
        judgement=judgement,
        rule=rule,
        verdict=verdict,
    )


def test_verdicts_of_gates_are_drawn_by_shape_and_listed_in_words(
    library: SyntheticLibrary,
) -> None:
    judge(library, 2, HOSTILE, "passed")
    judge(library, 3, HOSTILE, "failed")
    judge(library, 3, "second", "undecided")
    app = page("history", part="gates")
    [chart] = app.get("vega_lite_chart")
    spec = chart.proto.spec.replace('":"', '": "')
    assert '"shape": {' in spec.replace('":{', '": {')
    for shape in ("circle", "cross", "triangle-up"):
        assert shape in spec
    shown = html(app)
    assert "Run 3 passed 0 of 2 rules of the gate weekly; 1 failed" in answer_of(app)
    assert "✗ failed" in shown
    assert "? undecided" in shown
    assert "✓ passed" not in shown  # The table lists the latest judged run.
    assert SHOWN in shown
    assert "≤ 0" in shown
    assert "Run 3" in app.subheader[0].value


def test_verdicts_between_two_runs_have_marks_of_their_own(library: SyntheticLibrary) -> None:
    for run_id, judgement, verdict in ((2, 1, "passed"), (3, 1, "passed"), (3, 2, "failed")):
        judge(library, run_id, "old", verdict, judgement)
    app = page("history", part="gates")
    [chart] = app.get("vega_lite_chart")
    assert '"sort":["2","3","3.2"]' in chart.proto.spec.replace(" ", "")
    assert "Run 3 passed 0 of 1 rule of the gate weekly; 1 failed" in answer_of(app)
    assert "✓ passed" not in html(app)


def test_without_gates_the_page_shows_how_to_write_one(
    library: SyntheticLibrary, tmp_path: Path
) -> None:
    example, command = page("history", part="gates").code
    (tmp_path / "fresh.yml").write_text(example.value)
    assert len(read_gate(tmp_path / "fresh.yml").rules) == 2
    assert command.value == "mirpipe gate fresh.yml"
