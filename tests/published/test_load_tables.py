"""Tests for the published tables in the database: our views return what was printed."""

import shutil
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from mirpipe.db import queries
from mirpipe.db.queries.published_results import published_claims, published_numbers
from mirpipe.errors import RejectedInput
from mirpipe.published.load_tables import load
from mirpipe.published.printed_lines import FOLDER, read
from tests.dashboard.example_library import Model, Piece, fill
from tests.support.databases import Database

METRIC = {
    "Retrieval Sim": "cosine",
    "CLAP Sim": "clap_similarity",
    "CLAP": "clap_similarity",
    "Melody Acc": "melody_accuracy",
    "Melody": "melody_accuracy",
} | {axis: f"aesthetics_{axis.lower()}" for axis in ("CE", "CU", "PC", "PQ")}

MUQ_RETRIEVAL = ("MUQ", "Retrieval Sim")
STRONG_PC = ("strong", "PC")

TABLES = (
    "published_retrieval",
    "published_generation",
    "published_summary",
    "published_change",
    "published_claim",
    "published_interval",
    "published_comparison",
)


def ask(database: Database, query: str, **values: object) -> list[tuple[Any, ...]]:
    with database.reader.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query), values)]


def rounded(value: float, printed: Decimal) -> Decimal:
    return Decimal(repr(value)).quantize(printed, ROUND_HALF_UP)


def versions(database: Database) -> list[tuple[Any, ...]]:
    """Return every row with the id of the transaction that wrote it."""
    selects = (
        f"SELECT '{table}', t::text, t.xmin::text FROM mirpipe.{table} t" for table in TABLES
    )
    return sorted(ask(database, " UNION ALL ".join(selects)))


def summaries(database: Database) -> dict[tuple[str, str], tuple[float, float]]:
    """Return the mean and standard deviation by metric and by encoder or mode, in capitals."""
    rows = ask(
        database,
        "SELECT encoder, metric, mean, sd FROM mirpipe.v_retrieval_summary "
        "WHERE source = 'published' UNION ALL "
        "SELECT mode, metric, mean, sd FROM mirpipe.v_generation_summary "
        "WHERE source = 'published'",
    )
    return {(subject.upper(), metric): (mean, sd) for subject, metric, mean, sd in rows}


@pytest.fixture
def loaded(fresh_database: Database) -> Database:
    load()
    return fresh_database


def test_views_return_every_printed_mean_and_standard_deviation(loaded: Database) -> None:
    recomputed = summaries(loaded)
    differ = set()
    for line in read().summary:
        mean, sd = recomputed[line.subject.upper(), METRIC[line.metric]]
        if rounded(mean, line.mean) != line.mean:
            differ.add((line.subject, line.metric))
        assert line.sd is None or rounded(sd, line.sd) == line.sd, line
    assert differ == {MUQ_RETRIEVAL, STRONG_PC}


def test_known_discrepancies_have_their_known_values(loaded: Database) -> None:
    recomputed = summaries(loaded)
    changed = ask(
        loaded,
        "SELECT percent FROM mirpipe.v_generation_delta WHERE source = 'published' "
        "AND (mode, than_mode, metric) = ('strong', 'medium', 'melody_accuracy')",
    )
    assert round(recomputed["MUQ", "cosine"][0], 4) == 0.8026  # printed 0.802
    assert round(recomputed["STRONG", "aesthetics_pc"][0], 2) == 4.94  # printed 5.0
    assert round(changed[0][0], 2) == -0.65  # printed -0.5


def test_only_the_known_discrepancies_are_marked(loaded: Database) -> None:
    numbers = published_numbers()
    assert len(numbers) == 27 + 9 + 4
    assert all((number.discrepancy is None) == number.agrees for number in numbers)
    marked = [
        (number.subject, number.metric, number.printed) for number in numbers if not number.agrees
    ]
    assert marked == [
        ("MuQ", "cosine", "0.802"),
        ("strong", "aesthetics_pc", "5.0"),
        ("strong", "melody_accuracy", "-0.5"),
    ]


def test_changes_are_recomputed_from_the_lines(loaded: Database) -> None:
    rows = ask(
        loaded,
        "SELECT mode, metric, percent FROM mirpipe.v_generation_delta "
        "WHERE source = 'published' AND (mode, than_mode) IN "
        "(('medium', 'simple'), ('strong', 'medium'))",
    )
    changes = {(mode, metric): round(percent, 2) for mode, metric, percent in rows}
    assert changes["medium", "clap_similarity"] == 696.98
    assert changes["medium", "melody_accuracy"] == 452.65
    assert changes["strong", "clap_similarity"] == 9.67


def test_comparisons_have_an_exact_p_and_an_interval(loaded: Database) -> None:
    columns = "n, mean_difference, low, high, p, family_n, established"
    strong = ask(
        loaded,
        f"SELECT {columns} FROM mirpipe.v_generation_delta WHERE source = 'published' "
        "AND (mode, than_mode, metric) = ('strong', 'medium', 'clap_similarity')",
    )
    assert strong == [
        (9, pytest.approx(0.0426, abs=1e-4), pytest.approx(-0.025, abs=2e-3),
         pytest.approx(0.134, abs=2e-3), 112 / 512, 2, False)
    ]  # fmt: skip
    encoders = ask(
        loaded,
        f"SELECT {columns} FROM mirpipe.v_retrieval_comparison WHERE source = 'published' "
        "AND (encoder, than_encoder, metric) = ('Music2Latent', 'CLAP', 'clap_similarity')",
    )
    assert encoders[0][:2] == (9, pytest.approx(-0.130, abs=1e-9))
    assert encoders[0][4] == pytest.approx(0.012, abs=5e-4)
    compared = ask(loaded, "SELECT DISTINCT metric FROM mirpipe.v_retrieval_comparison")
    assert ("cosine",) not in compared  # Cosines of different encoders are not on one scale.


def test_a_second_import_writes_nothing(loaded: Database) -> None:
    before = versions(loaded)
    assert set(load().values()) == {0}
    assert versions(loaded) == before


def test_an_import_deletes_rows_that_are_no_longer_in_a_file(
    loaded: Database, tmp_path: Path
) -> None:
    shutil.copytree(FOLDER, tmp_path / "other")
    file = tmp_path / "other" / "retrieval.csv"
    file.write_text(file.read_text().replace("latin-reggaeton_90", "another name"))
    assert load(tmp_path / "other")["published_retrieval"] == 2  # the old line and the new line
    names = ask(loaded, "SELECT retrieved FROM mirpipe.published_retrieval ORDER BY line")
    assert (len(names), names[0]) == (27, ("another name",))


def test_a_claim_with_an_unknown_number_is_rejected_and_nothing_changes(
    loaded: Database, tmp_path: Path
) -> None:
    shutil.copytree(FOLDER, tmp_path / "other")
    for name, old, new in (
        ("generation.csv", "0.054", "0.055"),
        ("claims.csv", "{MuQ cosine:3}", "{Muq cosine:3}"),
    ):
        file = tmp_path / "other" / name
        file.write_text(file.read_text().replace(old, new, 1))
    before = versions(loaded)
    with pytest.raises(RejectedInput, match=r"claims\.csv, line 3: .*\{Muq cosine:3\}"):
        load(tmp_path / "other")
    assert versions(loaded) == before


def test_queries_for_our_own_results_do_not_return_published_results(
    fresh_database: Database,
) -> None:
    pieces = (
        Piece("target", "t"),
        Piece("reference", "r"),
        Piece("reference", "x", Path("/x.ogg")),
    )
    with fresh_database.owner.begin() as connection:
        fill(connection, pieces, [Model("real", 0.5, 0.1)])
    before = (
        queries.retrieval_summaries(),
        queries.generation_summaries(),
        queries.mode_comparisons(),
    )
    load()
    assert before[0]
    after = (
        queries.retrieval_summaries(),
        queries.generation_summaries(),
        queries.mode_comparisons(),
    )
    assert after == before
    sources = ask(fresh_database, "SELECT DISTINCT source FROM mirpipe.v_retrieval_summary")
    assert sorted(sources) == [("library",), ("published",)]


def test_claims_have_numbers_and_lines_are_not_stored_as_runs_or_tracks(loaded: Database) -> None:
    claims = published_claims()
    assert len(claims) == len(read().claims)
    assert not any("{" in claim.numbers + (claim.remark or "") for claim in claims)
    for table in ("run", "track", "encoder", "generator"):
        assert ask(loaded, f"SELECT count(*) FROM mirpipe.{table}") == [(0,)]
