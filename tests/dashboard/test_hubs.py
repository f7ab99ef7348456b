"""What Hubs and agreement says of rankings, of a target's other answers, and of sets of clips."""

import pytest
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from mirpipe.stages.report import report
from mirpipe.stages.retrieve import retrieve
from tests.dashboard.pages import HOSTILE, SHOWN, link, page, written
from tests.support.databases import Database
from tests.support.synthetic_library import SyntheticLibrary


@pytest.fixture
def library(fresh_database: Database) -> SyntheticLibrary:
    """Two encoders, three references of two genres and two targets; reported on."""
    made = SyntheticLibrary(fresh_database.app)
    other = SyntheticLibrary(fresh_database.app, name="other")
    for collection, title, vector, elsewhere, genre in (
        ("reference", "東", [1, 0, 0], [1, 0, 0], "folk"),
        ("reference", HOSTILE, [0, 1, 0], [0, 0, 1], "jazz"),
        ("reference", "up", [0, 0.1, 1], [0, 1, 0.1], "folk"),
        ("target", "near north", [0.1, 1, 0], [0.1, 1, 0], "jazz"),
        ("target", "near east", [1, 0.1, 0], [1, 0.1, 0], "folk"),
    ):
        track_id = made.add(collection, title, vector, labels={"genre": genre})
        other.embed(track_id, elsewhere)
    retrieve()
    report(trigger="test")
    return made


def row(app: AppTest, table: str, *beginning: str) -> str:
    """The line of a table whose cells begin with these."""
    shown = written(app)
    body = shown[shown.index(f"aria-label='{table}'") :].partition("</table>")[0]
    for line in body.split("<tr>"):
        cells = line.split("<td")
        if len(cells) > len(beginning) and all(
            word in cell for word, cell in zip(beginning, cells[1:], strict=False)
        ):
            return line
    raise AssertionError(f"no line of {table} begins with {beginning}: {body}")


def test_hubness_is_shown_raw_and_by_csls_with_the_largest_hub(library: SyntheticLibrary) -> None:
    app = page("hubs", k="1")
    line = row(app, "Hubness", "made_up", "cosine, raw")
    assert "33.3%" in line  # one of three references answers nobody
    assert "1 of 2 queries" in line
    assert "33.3%" in row(app, "Hubness", "made_up", "CSLS")
    assert SHOWN in row(app, "Most retrieved references", "2") + row(
        app, "Most retrieved references", "1"
    )


def test_the_link_chooses_queries_and_depth(library: SyntheticLibrary) -> None:
    assert "2 × 3" in row(page("hubs"), "Hubness", "made_up")
    app = page("hubs", queries="references")
    assert "3 × 3" in row(app, "Hubness", "made_up")
    said = "\n".join(one.value for one in app.caption)
    assert "Over 2 queries; 1 without the label" in said  # no other reference is jazz
    line = row(page("hubs", k="5"), "Hubness", "made_up", "cosine")
    assert "0.0%" in line
    assert "2 of 2 queries" in line


def test_encoders_agree_as_far_as_their_answers_do(library: SyntheticLibrary) -> None:
    line = row(page("hubs"), "Agreement of encoders", "made_up")
    assert "itself" in line
    assert "same first answer 50%" in line


def test_rankings_by_a_label_have_intervals_and_the_fusion_of_encoders(
    library: SyntheticLibrary,
) -> None:
    app = page("hubs", label="genre")
    assert "1.000<small>1.000 … 1.000</small>" in row(
        app, "Rankings by label", "made_up", "cosine, raw"
    )
    assert "0.500" in row(app, "Rankings by label", "other", "cosine, raw")
    assert row(app, "Rankings by label", "fusion", "all together")
    assert len(app.get("vega_lite_chart")) == 1 + 3  # hubs; P@1, MRR and mAP


def test_a_target_has_its_fusion_and_its_answers_by_csls(
    library: SyntheticLibrary, fresh_database: Database
) -> None:
    wanted = link(fresh_database, "near east")
    app = page("hubs", target=wanted, space="other")
    assert app.selectbox(key="target").value == wanted
    assert "東" in row(app, "Fusion of encoders", "1")
    assert "東" in row(app, "Answers by cosine and by CSLS", "1")
    assert any("made_up and other" in one.value for one in app.caption)


def test_random_weights_are_marked(library: SyntheticLibrary) -> None:
    random = "UPDATE mirpipe.encoder SET spec = jsonb_set(spec, '{checkpoint}', '\"random\"')"
    library.run(random + " WHERE name = 'other'")
    app = page("hubs")
    for table in ("Hubness", "Agreement of encoders", "Rankings by label"):
        assert ">random weights<" in row(app, table, "other"), table
        assert ">random weights<" not in row(app, table, "made_up"), table


def test_only_distances_that_are_findings_are_marked_as_such(library: SyntheticLibrary) -> None:
    with library.app.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO mirpipe.generator (name, revision, spec) "
                'VALUES (\'maker\', \'1\', \'{"checkpoint": "weights", "licence_weights": "MIT"}\')'
            )
        )
        for mode, n in (("few", 49), ("many", 50)):
            connection.execute(
                text(
                    "INSERT INTO mirpipe.run_set_distance (run_id, generator_id, mode, encoder_id,"
                    " metric, value, is_finding, n, references_n, seconds) "
                    "SELECT 1, generator_id, :mode, :encoder_id, 'fad_inf', 0.25, :n >= 50, :n, 3,"
                    " 60 FROM mirpipe.generator"
                ),
                {"mode": mode, "n": n, "encoder_id": library.encoder_id},
            )
    app = page("hubs")
    assert "✓ finding" in row(app, "Distances of sets", "made_up", "maker many")
    assert ">random weights<" not in row(app, "Distances of sets", "made_up", "maker many")
    few = row(app, "Distances of sets", "made_up", "maker few")
    assert "no finding" in few
    assert "✓ finding" not in few


def test_what_was_not_measured_says_which_command_comes_next(fresh_database: Database) -> None:
    assert "mirpipe up" in page("hubs").code[0].value
    made = SyntheticLibrary(fresh_database.app)
    made.add("reference", "east", [1, 0, 0])
    made.add("target", "near east", [1, 0.1, 0])
    retrieve()
    report(trigger="test")
    said = "\n".join(one.value for one in page("hubs").code)
    for command in ("--manifest labels.csv", "mirpipe generate", "MIRPIPE_ENCODERS="):
        assert command in said
