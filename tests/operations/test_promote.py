"""A new revision waits until it is promoted, or until its metrics are proven not to be worse."""

import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner, Result

from mirpipe.cli.main import app
from mirpipe.db import queries
from mirpipe.db.snapshot import open_snapshot
from mirpipe.db.store.content_digest import digests
from mirpipe.db.store.recompute_and_compare import differences
from mirpipe.errors import ConfigurationError
from mirpipe.operations import promote as promote_module
from mirpipe.operations.promote import promote
from mirpipe.operations.prune import prune
from mirpipe.settings import settings
from mirpipe.stages.report import report
from mirpipe.stages.retrieve import retrieve
from tests.operations.gate.judged_library import TARGETS, JudgedLibrary
from tests.support.databases import Database


@pytest.fixture
def library(fresh_database: Database, monkeypatch: pytest.MonkeyPatch) -> JudgedLibrary:
    """A library whose active revision is r1, and whose configured revision r2 is complete."""
    set_promotion(monkeypatch, "manual")
    library = JudgedLibrary(fresh_database)
    library.publish()
    library.new_model("r2", targets_at_bad=TARGETS)
    library.publish()
    return library


def set_promotion(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("MIRPIPE_PROMOTION", value)
    settings.cache_clear()


def invoke(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def active() -> str:
    (revision,) = [each.revision for each in queries.encoder_revisions() if each.serving]
    return revision


def shown_matches() -> set[str]:
    return {match.reference for match in queries.best_matches()}


def test_the_first_revision_is_active_without_promotion(
    fresh_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_promotion(monkeypatch, "manual")
    JudgedLibrary(fresh_database).publish()
    assert active() == "r1"


def test_a_complete_revision_waits_and_is_kept_up_to_date(library: JudgedLibrary) -> None:
    assert (active(), shown_matches()) == ("r1", {"good"})
    lists = (
        "SELECT DISTINCT revision FROM mirpipe.neighbour JOIN mirpipe.encoder USING (encoder_id)"
    )
    assert {revision for (revision,) in library.rows(lists)} == {"r1", "r2"}
    assert library.rows("SELECT * FROM mirpipe.pending_pair") == []


def test_a_promoted_revision_is_shown_and_stays_active(library: JudgedLibrary) -> None:
    before = queries.latest_run()
    result = promote("made_up")
    assert (result.previous, result.revision) == ("r1", "r2")
    assert before is not None
    assert result.run_id == before.run_id + 1
    assert (active(), shown_matches()) == ("r2", {"bad"})
    library.publish()
    assert active() == "r2"


def test_an_earlier_revision_can_be_promoted_again(library: JudgedLibrary) -> None:
    promote("made_up")
    promote("made_up@r1")
    assert (active(), shown_matches()) == ("r1", {"good"})
    library.publish()
    assert active() == "r1"
    with open_snapshot("app") as connection:
        assert list(differences(connection)) == []


def test_an_earlier_revision_finds_the_changes_that_it_missed(library: JudgedLibrary) -> None:
    promote("made_up")
    library.set_state(library.references["good"], "gone")
    library.publish()
    promote("made_up@r1")
    assert shown_matches() == {"bad"}


def test_a_killed_promotion_can_be_run_again(
    library: JudgedLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_arguments: object, **_options: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(promote_module, "retrieve", stop)
        with pytest.raises(KeyboardInterrupt):
            promote("made_up")
    assert shown_matches() == {"good"}
    result = promote("made_up")
    assert shown_matches() == {"bad"}
    with open_snapshot("app") as connection:
        once = dict(digests(connection))
    assert promote("made_up") == replace(result, published=False)
    with open_snapshot("app") as connection:
        assert dict(digests(connection)) == once


def test_an_incomplete_revision_is_promoted_only_on_request(library: JudgedLibrary) -> None:
    library.add("reference", "not embedded yet")
    with pytest.raises(ConfigurationError, match="made_up@r2 is not complete"):
        promote("made_up")
    assert active() == "r1"
    promote("made_up", incomplete=True)
    with pytest.raises(ConfigurationError, match="Restore the settings of made_up"):
        promote("made_up@r1")
    assert active() == "r2"


def test_a_revision_that_the_next_report_would_replace_is_not_promoted(
    library: JudgedLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    promote("made_up")
    set_promotion(monkeypatch, "complete")
    with pytest.raises(ConfigurationError, match="Set MIRPIPE_PROMOTION=manual"):
        promote("made_up@r1")
    assert active() == "r2"


def test_the_retention_time_starts_when_a_revision_is_replaced(library: JudgedLibrary) -> None:
    library.execute("UPDATE mirpipe.encoder SET unwanted_at = now() - interval '1 year'")
    promote("made_up")
    prune(settings())
    promote("made_up@r1")
    assert shown_matches() == {"good"}


@pytest.mark.parametrize(
    ("old_at_bad", "new_at_bad", "margin", "shown"),
    [
        pytest.param(TARGETS, 0, 0, "r2", id="better"),
        pytest.param(0, 0, 0, "r2", id="not worse"),
        pytest.param(0, TARGETS, 0.7, "r2", id="not worse by more than the margin"),
        pytest.param(0, TARGETS, 0.5, "r1", id="worse"),
        pytest.param(0, 1, 0.2, "r1", id="undecided"),
    ],
)
def test_a_revision_takes_over_by_itself_only_if_it_is_not_worse(
    fresh_database: Database,
    monkeypatch: pytest.MonkeyPatch,
    old_at_bad: int,
    new_at_bad: int,
    margin: float,
    shown: str,
) -> None:
    monkeypatch.setenv("MIRPIPE_PROMOTION_MARGINS", f"aligned_melody={margin}")
    set_promotion(monkeypatch, "not_worse")
    library = JudgedLibrary(fresh_database)
    library.new_model("r1", targets_at_bad=old_at_bad)
    library.publish()
    assert active() == "r1"
    library.new_model("r2", targets_at_bad=new_at_bad)
    library.publish()
    assert active() == shown


def test_a_revision_that_waits_for_scores_takes_over_when_they_exist(
    fresh_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIRPIPE_PROMOTION_MARGINS", "aligned_melody=0")
    set_promotion(monkeypatch, "not_worse")
    library = JudgedLibrary(fresh_database)
    library.new_model("r1", targets_at_bad=TARGETS)
    library.publish()
    library.new_model("r2", targets_at_bad=0)
    retrieve()
    library.execute(
        "DELETE FROM mirpipe.pair_score WHERE reference_id = :good",
        good=library.references["good"],
    )
    report(trigger="test")
    assert active() == "r1"
    library.publish()
    assert active() == "r2"


def test_the_command_prints_the_active_revision_and_the_run(library: JudgedLibrary) -> None:
    result = invoke("promote", "made_up", "--json")
    assert json.loads(result.stdout)["revision"] == "r2"
    result = invoke("promote", "made_up")
    assert result.stdout.startswith("made_up@r2 was active already (run ")
    result = invoke("promote", "made_up@r1")
    assert result.stdout.startswith("made_up@r1 is active, published as run ")
    result = invoke("promote", "other")
    assert result.exit_code == 2
    assert "No revision of a plug-in 'other'" in result.output


def test_status_lists_the_revision_that_waits(library: JudgedLibrary) -> None:
    [waiting] = json.loads(invoke("status", "--json").stdout)["challengers"]
    assert (waiting["name"], waiting["revision"], waiting["coverage"]) == ("made_up", "r2", 1)
    assert waiting["verdict"] is None
    line = "encoder made_up r2 100.0% of the tracks embedded"
    assert f"{line} not compared yet" in " ".join(invoke("status").stdout.split())
    invoke("compare", "made_up", "--margin", "aligned_melody=0.1")
    assert f"{line} worse (margin aligned_melody=0.1)" in " ".join(invoke("status").stdout.split())
    promote("made_up")
    assert json.loads(invoke("status", "--json").stdout)["challengers"] == []
    assert "challengers" not in invoke("status").stdout


def test_the_margins_of_the_last_verdict_are_stored_with_it(library: JudgedLibrary) -> None:
    stored = "SELECT verdict, margins FROM mirpipe.v_challenger"
    for options, expected in (
        ((), ("worse", ["aligned_melody=0"])),
        (("aligned_melody=0.7",), ("not worse", ["aligned_melody=0.7"])),
        (
            ("melody_oti=1e-06", "aligned_melody=0.02"),
            ("worse", ["aligned_melody=0.02", "melody_oti=1e-06"]),
        ),
    ):
        invoke("compare", "made_up", *(word for each in options for word in ("--margin", each)))
        assert library.rows(stored) == [expected]


def test_compare_without_new_compares_the_configured_revision(library: JudgedLibrary) -> None:
    result = invoke("compare", "made_up", "--json")
    comparison = json.loads(result.stdout)
    assert (comparison["old"]["revision"], comparison["new"]["revision"]) == ("r1", "r2")
    assert comparison["verdict"] == "worse"


def test_a_report_that_lets_a_revision_wait_stores_the_verdict(
    fresh_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIRPIPE_PROMOTION_MARGINS", "aligned_melody=0.5")
    set_promotion(monkeypatch, "not_worse")
    library = JudgedLibrary(fresh_database)
    library.publish()
    library.new_model("r2", targets_at_bad=TARGETS)
    library.publish()
    [waiting] = queries.challengers()
    assert (waiting.kind, waiting.name, waiting.active_revision) == ("encoder", "made_up", "r1")
    assert (waiting.verdict, waiting.random) == ("worse", False)
    library.execute("UPDATE mirpipe.encoder SET spec = spec || '{\"is_random\": true}'")
    assert queries.challengers()[0].random
    assert waiting.sentences[0] == (
        "made_up@r2 compared with made_up@r1: worse, judged by aligned melody (margin 0.5)."
    )


def test_the_verdict_on_an_earlier_challenger_is_not_shown_for_a_later_one(
    library: JudgedLibrary,
) -> None:
    invoke("compare", "made_up@r2", "made_up@r1")
    assert queries.challengers()[0].verdict is None
    invoke("compare", "made_up@r1", "made_up@r2")
    assert queries.challengers()[0].verdict is not None
    library.new_model("r3", targets_at_bad=0)
    library.publish()
    [waiting] = queries.challengers()
    assert (waiting.revision, waiting.verdict) == ("r3", None)
