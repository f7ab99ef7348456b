"""Whether results say that votes on the same targets may have chosen the primary metric."""

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from mirpipe.cli.main import app
from mirpipe.cli.result_tables import result_sections
from mirpipe.db.queries.metric_choice import choice_sentences
from mirpipe.settings import settings
from tests.listening.conftest import TARGETS
from tests.support.databases import Database

CHOSEN = (
    "The primary metric, CLAP similarity, was chosen after the first votes in the listening test "
    "test, which asks about {asked} targets: if it was chosen by these votes, results on these "
    "targets look better than they are."
)


def publish(library: Database, metric: str) -> None:
    """Publish a run with this primary metric, of matches and of clips."""
    with library.app.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO mirpipe.run (trigger, state_digest, library, finished_at, "
                "primary_retrieval_metric, primary_generation_metric) "
                "VALUES ('test', 'x', '{}', clock_timestamp(), :metric, :metric)"
            ),
            {"metric": metric},
        )


def vote(library: Database, *options: str) -> None:
    """Create a listening test with one listener who answers all questions."""
    runner = CliRunner()
    for arguments in (["create", "--name", "test", *options], ["link", "test"]):
        result = runner.invoke(app, ["listening", *arguments])
        assert result.exit_code == 0, result.output
    with library.app.begin() as connection:
        connection.execute(
            text("UPDATE mirpipe.vote SET answer = 1, answered_at = clock_timestamp()")
        )


def test_a_metric_that_became_primary_after_the_votes_is_named(library: Database) -> None:
    publish(library, "aligned_melody")
    vote(library)
    for _ in range(2):
        publish(library, "clap_similarity")
        sentences = choice_sentences("retrieval", "clap_similarity")
        assert sentences == [CHOSEN.format(asked=f"all {TARGETS}")]
    assert choice_sentences("generation", "clap_similarity") == []
    # It was the primary metric before, too, and was chosen again.
    publish(library, "aligned_melody")
    assert choice_sentences("retrieval", "aligned_melody") != []


def test_a_metric_that_was_primary_before_the_votes_is_not_named(library: Database) -> None:
    assert choice_sentences("retrieval", "clap_similarity") == []
    publish(library, "aligned_melody")
    publish(library, "clap_similarity")
    vote(library)
    publish(library, "clap_similarity")
    assert choice_sentences("retrieval", "clap_similarity") == []


def test_a_metric_that_is_chosen_for_the_next_run_is_named(library: Database) -> None:
    publish(library, "aligned_melody")
    vote(library)
    with library.app.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO mirpipe.track (collection, content_sha256, title, seconds, rms_dbfs, "
                "state) SELECT collection, sha256('new'), title, seconds, rms_dbfs, state "
                "FROM mirpipe.track WHERE collection = 'target' LIMIT 1"
            )
        )
    assert choice_sentences("retrieval", "clap_similarity") == [
        CHOSEN.format(asked=f"{TARGETS} of the {TARGETS + 1}")
    ]


def test_a_test_without_votes_chooses_nothing(library: Database) -> None:
    publish(library, "aligned_melody")
    CliRunner().invoke(app, ["listening", "create"])
    publish(library, "clap_similarity")
    assert choice_sentences("retrieval", "clap_similarity") == []


@pytest.mark.parametrize(
    ("kind", "chosen"),
    [
        ("answers", ["retrieval"]),
        ("clips", ["generation"]),
        ("rating", ["retrieval", "generation"]),
    ],
)
def test_a_kind_of_test_can_choose_the_metric_of_what_it_compares(
    library: Database, kind: str, chosen: list[str]
) -> None:
    publish(library, "aligned_melody")
    vote(library, "--kind", kind)
    tasks = ("retrieval", "generation")
    assert [task for task in tasks if choice_sentences(task, "clap_similarity")] == chosen


def test_removed_targets_and_runs_without_a_record_do_not_count(library: Database) -> None:
    vote(library)  # An older version published run 1, so its primary metric is unknown.
    publish(library, "clap_similarity")
    assert choice_sentences("retrieval", "clap_similarity") == []
    publish(library, "aligned_melody")
    publish(library, "clap_similarity")
    with library.app.begin() as connection:
        connection.execute(
            text("UPDATE mirpipe.track SET state = 'gone' WHERE collection = 'target'")
        )
    assert choice_sentences("retrieval", "clap_similarity") == []


def test_the_report_says_so(library: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    with library.app.begin() as connection:
        connection.execute(text("UPDATE mirpipe.run SET primary_retrieval_metric = 'z'"))
    vote(library)
    monkeypatch.setenv("MIRPIPE_PRIMARY_RETRIEVAL_METRIC", "clap_similarity")
    settings.cache_clear()
    sentences = [line for section in result_sections() for line in section.sentences]
    assert len([line for line in sentences if "if it was chosen by these votes" in line]) == 1
