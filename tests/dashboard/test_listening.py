"""Tests of the page of listening tests."""

from pathlib import Path

import pytest
from sqlalchemy import text

from mirpipe.db.queries.listening_tests import listening_test
from mirpipe.listening.create_links import create_tokens
from mirpipe.listening.create_test import ListeningOptions, create_test
from mirpipe.listening.design import Kind
from mirpipe.listening.result_sentences import agreement_sentence, listening_answer
from mirpipe.listening.stored_results import compute_results, stored_results
from tests.dashboard import example_clips
from tests.dashboard.example_library import Model, Piece, fill
from tests.dashboard.open_page import HOSTILE, answer_of, html, page
from tests.listening.voters import vote_all
from tests.support.databases import Database, DatabasePool

STRENGTHS = {"clap": 1.5, "musicnn": 0.0, "signal": -1.5}
MODES = {"model simple 3": -1.0, "model medium 3": 0.5, "model strong 5": 1.0}


@pytest.fixture
def library(fresh_database: Database, database_pool: DatabasePool) -> Database:
    """Return a library with three encoders and three modes. A title contains markup."""
    return database_pool.fill(fresh_database, _library)


def _library(database: Database, folder: Path) -> Database:
    pieces = [Piece("target", f"t{n}" if n else HOSTILE, Path(f"/t{n}")) for n in range(12)]
    pieces += [Piece("reference", f"r{n}", Path(f"/r{n}")) for n in range(30)]
    with database.owner.begin() as connection:
        fill(connection, pieces, [Model(name, 0.5, 0.1) for name in STRENGTHS])
        example_clips.describe(connection)
        maker = example_clips.Maker("model", seeds=1)
        example_clips.make(connection, [maker], folder, folder / "a.flac")
    return database


def vote_on_test(library: Database, kind: Kind = "answers", *, name: str = "test") -> list[str]:
    """Make a test, let six people vote, compute the results, and return two more links."""
    test = create_test(name, None, ListeningOptions(kind, questions=12), seed=1)
    tokens = create_tokens(test, 8)
    for number, token in enumerate(tokens[:6]):
        vote_all(library, token, MODES if kind == "clips" else STRENGTHS, seed=number)
    compute_results(listening_test(name))
    return tokens[6:]


def test_without_a_test_the_page_says_how_to_make_one(fresh_database: Database) -> None:
    app = page("listening")
    assert "No listening test" in app.info[0].value
    commands = [line.rpartition("listening ")[2] for line in app.code[0].value.splitlines()]
    assert [command.split()[0] for command in commands] == ["create", "link", "serve"]


def test_the_page_starts_with_the_answer_in_the_words_of_the_command(library: Database) -> None:
    vote_on_test(library)
    results = stored_results(listening_test("test"))
    assert results is not None
    app = page("listening")
    shown = html(app)
    assert f"<bdi>{' '.join(listening_answer(results))}</bdi>" in shown
    assert len(app.get("vega_lite_chart")) == 1
    assert agreement_sentence(results.criteria[0]) in [line.value for line in app.markdown]
    (subject,) = [s for s in results.criteria[0].subjects if s.subject == "clap"]
    row = shown[shown.index("<td><bdi>clap</bdi></td>") :].partition("</tr>")[0]
    for number in (subject.wins_n, subject.losses_n, subject.ties_n):
        assert f"<td class='mp-number'>{number}</td>" in row
    assert f"{subject.log_strength:.2f}" in row
    assert "later runs only" in "".join(caption.value for caption in app.caption)


def test_encoders_with_random_weights_are_marked(library: Database) -> None:
    with library.owner.begin() as connection:
        connection.execute(
            text(
                "UPDATE mirpipe.encoder SET spec = spec || jsonb_build_object('is_random', true) "
                "WHERE name = 'signal'"
            )
        )
    vote_on_test(library)
    shown = html(page("listening"))
    mark = "<td><bdi>{}</bdi> <span class='mp-badge'>random weights</span></td>"
    assert mark.format("signal") in shown
    assert mark.format("clap") not in shown


def test_votes_on_targets_link_to_the_tracks(library: Database) -> None:
    vote_on_test(library)
    table = page("listening").dataframe[0].value
    assert table[["for the first", "for the second", "for neither"]].to_numpy().sum() == 6 * 12
    assert HOSTILE in set(table["target"])


def test_two_criteria_are_in_one_chart(library: Database) -> None:
    vote_on_test(library, "clips")
    app = page("listening")
    assert len(app.get("vega_lite_chart")) == 1
    headings = [heading.value for heading in app.header]
    assert "Which is more similar to the target?" in headings
    assert "Which is better music?" in headings


def test_votes_that_are_not_in_the_results_are_named(library: Database) -> None:
    token, _ = vote_on_test(library)
    assert len(page("listening").info) == 0
    vote_all(library, token, STRENGTHS, seed=9)
    app = page("listening")
    assert "126 votes now" in app.info[0].value
    assert app.code[0].value == "mirpipe listening results test"
    with library.app.begin() as connection:
        connection.execute(text("DELETE FROM mirpipe.listening_result"))
    app = page("listening")
    assert "126 votes of 144 were given" in app.info[0].value
    assert app.code[0].value == "mirpipe listening results test"


def test_the_address_chooses_the_test(library: Database) -> None:
    vote_on_test(library, name="older")
    create_test("newer", None, ListeningOptions("answers", questions=3), seed=2)
    assert "mirpipe listening link newer" in page("listening").code[0].value
    shown = html(page("listening", test="older"))
    assert "The listeners of this test prefer" in shown
    assert "Listening test older, run 1: 6 listeners. The order of the questions is" in shown
    assert "<bdi>newer</bdi>" in shown


def test_results_on_targets_whose_votes_may_have_chosen_the_metric_say_so(
    library: Database,
) -> None:
    with library.app.begin() as connection:
        connection.execute(
            text(
                "UPDATE mirpipe.run SET (primary_retrieval_metric, primary_generation_metric) = "
                "('other', 'other')"
            )
        )
    vote_on_test(library, "rating")
    for name in ("retrieval", "generation"):
        assert "if it was chosen by these votes" in answer_of(page(name))
