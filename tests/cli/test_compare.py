"""`mirpipe compare`: text, JSON, HTML and exit codes for challengers of each verdict."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from mirpipe.challengers import compare_revisions, judge_challenger
from mirpipe.cli.main import app
from mirpipe.db.named_locks import hold_first_free_lock
from mirpipe.db.store import plugin_revisions
from mirpipe.settings import settings
from tests.challengers.test_compare_clips import GENERATOR
from tests.operations.gate.judged_library import TARGETS, JudgedLibrary
from tests.support.databases import Database


@pytest.fixture
def library(fresh_database: Database) -> JudgedLibrary:
    return JudgedLibrary(fresh_database)


def compare(*options: str, old: str = "made_up@old", new: str = "made_up@new") -> Result:
    return CliRunner().invoke(app, ["compare", old, new, *options])


@pytest.mark.parametrize(
    ("old_at_bad", "new_at_bad", "margin", "verdict", "exit_code"),
    [
        (TARGETS, 0, "0", "better", 0),
        (0, 0, "0", "not worse", 0),
        (0, TARGETS, "0.1", "worse", 1),
        (0, 1, "0.2", "undecided", 2),
    ],
)
def test_each_verdict_has_an_exit_code(
    library: JudgedLibrary,
    old_at_bad: int,
    new_at_bad: int,
    margin: str,
    verdict: str,
    exit_code: int,
) -> None:
    library.challenge(old_at_bad=old_at_bad, new_at_bad=new_at_bad)
    result = compare("--margin", f"aligned_melody={margin}", "--json")
    assert result.exit_code == exit_code, result.output
    comparison = json.loads(result.stdout)
    assert comparison["verdict"] == verdict
    assert comparison["changed_n"] == abs(old_at_bad - new_at_bad)
    result = compare("--margin", f"aligned_melody={margin}")
    assert result.exit_code == exit_code
    assert (
        f"made_up@new compared with made_up@old: {verdict}, judged by aligned melody "
        f"(margin {margin})." in result.stdout
    )


def test_votes_that_may_have_chosen_the_metric_are_named(
    library: JudgedLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = {("retrieval", "aligned_melody"): ["It was chosen by votes."]}
    monkeypatch.setattr(
        compare_revisions, "choice_sentences", lambda *metric: chosen.get(metric, [])
    )
    library.challenge(old_at_bad=0, new_at_bad=0)
    assert "It was chosen by votes." in compare().stdout
    assert json.loads(compare("--json").stdout)["warnings"] == ["It was chosen by votes."]
    # The primary metric does not judge the revisions.
    assert "votes" not in compare("--margin", "melody_oti=0").stdout


def test_a_verdict_is_stored_while_no_report_runs(
    library: JudgedLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = []

    def write(*_: object, **__: object) -> None:
        with hold_first_free_lock(["report", "other"]) as lock:
            free.append(lock)

    monkeypatch.setattr(judge_challenger.revision_comparisons, "is_challenge", lambda *_: True)
    monkeypatch.setattr(judge_challenger.revision_comparisons, "write", write)
    library.challenge(old_at_bad=0, new_at_bad=0)
    assert compare("--margin", "aligned_melody=0").exit_code == 0
    assert free == ["other"]


def test_the_output_contains_speed_licences_and_changed_matches(library: JudgedLibrary) -> None:
    library.challenge(old_at_bad=1, new_at_bad=0)
    library.execute(
        "UPDATE mirpipe.embedding_batch SET tracks = 10, seconds = 25, peak_memory_bytes = 1.5e9"
    )
    library.execute(
        'UPDATE mirpipe.encoder SET spec = spec || \'{"licence_weights": "CC BY-NC 4.0"}\' '
        "WHERE revision = 'new'"
    )
    output = compare().stdout
    assert "The licence of the weights changes from none to CC BY-NC 4.0." in output
    assert "The best match differs for 1 of 6 targets." in output
    assert output.count("2.5") == 2  # seconds per track of both revisions
    assert output.count("1.50 GB") == 2
    [changed] = json.loads(compare("--json").stdout)["changed"]
    assert (changed["target"], changed["old_title"], changed["new_title"]) == (
        *("t0", "bad", "good"),
    )


def test_the_page_has_the_tables_and_the_changed_targets(
    library: JudgedLibrary, tmp_path: Path
) -> None:
    library.challenge(old_at_bad=TARGETS, new_at_bad=0)
    library.execute("UPDATE mirpipe.track SET title = '<b>t0</b>' WHERE title = 't0'")
    compare("--html", str(tmp_path / "page.html"))
    page = (tmp_path / "page.html").read_text()
    assert "<h1>made_up@old and made_up@new</h1>" in page
    assert page.count("<div class='row'>") == TARGETS
    assert "Target: &lt;b&gt;t0&lt;/b&gt;" in page
    assert "<b>t0" not in page


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--margin", "aligned_melody"), "is not METRIC=MARGIN"),
        (("--margin", "aligned_melody=-1"), "is not METRIC=MARGIN"),
        (("--margin", "aligned_melody=nan"), "is not METRIC=MARGIN"),
        (("--margin", "cosine=1"), "the change of cosine cannot be tested"),
        (("--margin", "z=1"), "the change of z cannot be tested"),
        (("--margin", "a=1", "--margin", "a=2"), "has two margins"),
    ],
)
def test_a_wrong_margin_is_wrong_usage(
    library: JudgedLibrary, options: tuple[str, ...], message: str
) -> None:
    library.challenge(old_at_bad=0, new_at_bad=0)
    result = compare(*options)
    assert result.exit_code == 2
    assert message in " ".join(result.output.replace("│", " ").split())


def test_clips_are_compared_by_the_primary_metric_of_generation(
    library: JudgedLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIRPIPE_PRIMARY_GENERATION_METRIC", "melody_accuracy")
    settings.cache_clear()
    with library.app.begin() as connection:
        for revision in ("1", "2"):
            plugin_revisions.register_generator(connection, GENERATOR, revision)
    result = compare(old="model@1", new="model")
    assert result.exit_code == 2
    assert "judged by melody accuracy of all pairs (margin 0)." in result.stdout
    assert "No target has clips by both revisions. Run `mirpipe generate`." in result.stdout
    result = compare(old="model", new="made_up")
    assert result.exit_code == 3
    assert "model@2 is of the kind generator" in " ".join(result.output.split())


def test_a_page_that_cannot_be_written_is_named_before_the_comparison(
    library: JudgedLibrary, tmp_path: Path
) -> None:
    library.challenge(old_at_bad=0, new_at_bad=1)
    file = tmp_path / "missing" / "changes.html"
    result = compare("--html", str(file))
    assert (result.exit_code, result.stdout) == (3, "")
    assert f"Cannot write {file}: No such file or directory. Choose another file." in result.stderr


def test_a_missing_p_value_has_a_reason(library: JudgedLibrary) -> None:
    library.challenge(old_at_bad=0, new_at_bad=1)
    [change] = [
        each
        for each in json.loads(compare("--json").stdout)["metrics"]
        if each["metric"] == "aligned_melody"
    ]
    assert (change["p_adjusted"], change["p_reason"]) == (None, "too_few_targets")
    assert "no p: too few targets differ" in " ".join(compare().stdout.replace("│", "").split())


def test_a_revision_is_not_compared_with_itself(library: JudgedLibrary) -> None:
    library.challenge(old_at_bad=0, new_at_bad=0)
    result = compare(old="made_up")
    assert result.exit_code == 3
    assert "Name two different revisions." in result.output
    unknown = compare(old="made_up@ffff")
    assert unknown.exit_code == 3
    assert "does not name a revision" in unknown.output
