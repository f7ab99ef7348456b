"""Tests of the Hubs page: hubs, agreement, label and other rankings, and clip distances."""

import pytest
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from mirpipe.stages.report import report
from mirpipe.stages.retrieve import retrieve
from tests.dashboard.open_page import HOSTILE, SHOWN, chart_is_before_table, html, link, page
from tests.support.databases import Database
from tests.support.synthetic_library import SyntheticLibrary


@pytest.fixture
def library(fresh_database: Database) -> SyntheticLibrary:
    """Return a library with two encoders, three references, two targets and a run."""
    synthetic = SyntheticLibrary(fresh_database.app)
    other = SyntheticLibrary(fresh_database.app, name="other")
    for collection, title, vector, elsewhere, genre in (
        ("reference", "東", [1, 0, 0], [1, 0, 0], "folk"),
        ("reference", HOSTILE, [0, 1, 0], [0, 0, 1], "jazz"),
        ("reference", "up", [0, 0.1, 1], [0, 1, 0.1], "folk"),
        ("target", "near north", [0.1, 1, 0], [0.1, 1, 0], "jazz"),
        ("target", "near east", [1, 0.1, 0], [1, 0.1, 0], "folk"),
    ):
        track_id = synthetic.add(collection, title, vector, labels={"genre": genre})
        other.set_vector(track_id, elsewhere)
    retrieve()
    report(trigger="test")
    return synthetic


def row(app: AppTest, table: str, *texts: str) -> str:
    """Return the first table row whose first cells contain these texts."""
    shown = html(app)
    body = shown[shown.index(f"aria-label='{table}'") :].partition("</table>")[0]
    for line in body.split("<tr>"):
        cells = line.split("<td")
        if len(cells) > len(texts) and all(
            text in cell for text, cell in zip(texts, cells[1:], strict=False)
        ):
            return line
    raise AssertionError(f"no row of {table} starts with {texts}: {body}")


def test_hubness_is_shown_by_cosine_and_by_csls(library: SyntheticLibrary) -> None:
    app = page("hubs", k="1")
    line = row(app, "Hubness", "made_up", "cosine")
    assert "33.3%" in line  # One of three references is never retrieved.
    assert "1 of 2 queries" in line
    assert "33.3%" in row(app, "Hubness", "made_up", "CSLS")
    assert SHOWN in row(app, "Most retrieved references", "2") + row(
        app, "Most retrieved references", "1"
    )


def test_the_chart_of_the_hubs_is_above_the_tables(library: SyntheticLibrary) -> None:
    assert chart_is_before_table(page("hubs"), "Hubness")


def test_a_hub_is_defined_without_a_promise_about_almost_every_list(
    library: SyntheticLibrary,
) -> None:
    notes = "\n".join(element.value for element in page("hubs", queries="references").caption)
    assert "among the first matches of many more references than other references are" in notes
    assert "almost every" not in notes


def test_the_link_chooses_queries_and_depth(library: SyntheticLibrary) -> None:
    assert "2 × 3" in row(page("hubs"), "Hubness", "made_up")
    app = page("hubs", queries="references")
    assert "3 × 3" in row(app, "Hubness", "made_up")
    notes = "\n".join(element.value for element in app.caption)
    assert "Number of queries: 2." in notes
    assert "no relevant reference: 1." in notes  # Only one reference has the genre jazz.
    line = row(page("hubs", k="5"), "Hubness", "made_up", "cosine")
    assert "0.0%" in line
    assert "2 of 2 queries" in line


def test_agreement_is_the_share_of_common_matches(library: SyntheticLibrary) -> None:
    line = row(page("hubs"), "Agreement of encoders", "made_up")
    assert "same encoder" in line
    assert "same best match 50%" in line


def test_label_rankings_include_a_fusion_and_no_interval_for_two_queries(
    library: SyntheticLibrary,
) -> None:
    app = page("hubs", label="genre")
    made_up = row(app, "Rankings by label", "made_up", "cosine")
    assert "1.000" in made_up
    assert "…" not in made_up
    assert "0.500" in row(app, "Rankings by label", "other", "cosine")
    assert row(app, "Rankings by label", "fusion", "all encoders")
    assert len(app.get("vega_lite_chart")) == 1 + 3  # One for hubs, and three for P@1, MRR and mAP.


def test_a_target_has_matches_by_fusion_and_by_csls(
    library: SyntheticLibrary, fresh_database: Database
) -> None:
    target_link = link(fresh_database, "near east")
    app = page("hubs", target=target_link, space="other")
    assert app.selectbox(key="target").value == target_link
    assert "東" in row(app, "Fusion of encoders", "1")
    assert "東" in row(app, "Matches by cosine and by CSLS", "1")
    assert any("made_up and other" in element.value for element in app.caption)


def test_random_weights_are_marked(library: SyntheticLibrary) -> None:
    random = "UPDATE mirpipe.encoder SET spec = spec || '{\"is_random\": true}'"
    library.execute(random + " WHERE name = 'other'")
    app = page("hubs")
    for table in ("Hubness", "Agreement of encoders", "Rankings by label"):
        assert ">random weights<" in row(app, table, "other"), table
        assert ">random weights<" not in row(app, table, "made_up"), table


def test_only_findings_are_marked_as_findings(library: SyntheticLibrary) -> None:
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
    assert "✓ finding" in row(app, "Distances between clips and library", "made_up", "maker many")
    assert ">random weights<" not in row(
        app, "Distances between clips and library", "made_up", "maker many"
    )
    few = row(app, "Distances between clips and library", "made_up", "maker few")
    assert "no finding" in few
    assert "✓ finding" not in few


def test_missing_results_name_the_next_command(fresh_database: Database) -> None:
    assert "mirpipe up" in page("hubs").code[0].value
    synthetic = SyntheticLibrary(fresh_database.app)
    synthetic.add("reference", "east", [1, 0, 0])
    synthetic.add("target", "near east", [1, 0.1, 0])
    retrieve()
    report(trigger="test")
    commands = "\n".join(element.value for element in page("hubs").code)
    for command in ("--manifest labels.csv", "mirpipe generate", "MIRPIPE_ENCODERS="):
        assert command in commands
