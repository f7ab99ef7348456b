"""Views as Parquet: what is read back is what the database says, as of one moment."""

import csv
import fcntl
import json
import os
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet
from sqlalchemy import text
from typer.testing import CliRunner, Result

from mirpipe.cli.main import app
from mirpipe.operations import export as module
from mirpipe.operations.export import export
from mirpipe.published.load_tables import load
from tests.dashboard.filled import Model, Piece, fill
from tests.support.databases import Database
from tests.support.synthetic_library import SyntheticLibrary

PIECES = (
    Piece("target", "t", labels={"genre": "folk", "style": "ü | x"}),
    Piece("reference", "r", Path("/r.ogg")),
    Piece("reference", "far", Path("/far.ogg"), voiced=False),
)
ANY_VECTORS = r"^v_embedding_\d+$"


@pytest.fixture
def library(fresh_database: Database) -> Database:
    with fresh_database.owner.begin() as connection:
        fill(connection, PIECES, [Model("real", 0.5, 0.1)])
    return fresh_database


def ask(database: Database, query: str, **values: object) -> list[tuple[Any, ...]]:
    with database.reader.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query), values)]


def columns(database: Database) -> list[tuple[str, str, str]]:
    """View, column and comment, of every view but those of vectors."""
    return ask(
        database,
        "SELECT c.relname, a.attname, coalesce(col_description(c.oid, a.attnum), '') "
        "FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 "
        "WHERE c.relnamespace = 'mirpipe'::regnamespace AND c.relkind = 'v' "
        "AND c.relname ^@ 'v_' AND c.relname !~ :vectors",
        vectors=ANY_VECTORS,
    )


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["export", *words])


def test_every_view_is_read_back_whole(library: Database, tmp_path: Path) -> None:
    load()
    counts = export(tmp_path)
    found = columns(library)
    assert set(counts) == {view for view, _, _ in found}
    for view, rows in counts.items():
        table = parquet.read_table(tmp_path / f"{view}.parquet")
        assert table.num_rows == rows == ask(library, f"SELECT count(*) FROM mirpipe.{view}")[0][0]
        assert set(table.column_names) == {column for of, column, _ in found if of == view}
    assert counts["v_retrieval"] == 2
    assert counts["v_published"] == 40


def test_values_are_those_of_the_database(library: Database, tmp_path: Path) -> None:
    export(tmp_path, views=["v_library", "v_retrieval"])
    rows = parquet.read_table(tmp_path / "v_library.parquet").to_pylist()
    by_title = {row["title"]: row for row in rows}
    assert json.loads(by_title["t"]["labels"]) == PIECES[0].labels
    assert by_title["r"]["genre"] is None
    assert by_title["far"]["voiced"] is False
    query = "SELECT track_id, title, seconds, first_seen FROM mirpipe.v_library ORDER BY track_id"
    given = [(one["track_id"], one["title"], one["seconds"], one["first_seen"]) for one in rows]
    assert sorted(given) == ask(library, query)
    answers = parquet.read_table(tmp_path / "v_retrieval.parquet").to_pylist()
    given = [(one["rank"], one["reference"], one["cosine"], one["z"]) for one in answers]
    assert sorted(given) == ask(
        library, "SELECT rank, reference, cosine, z FROM mirpipe.v_retrieval ORDER BY rank"
    )


def test_the_dictionary_has_a_line_for_every_column(library: Database, tmp_path: Path) -> None:
    export(tmp_path, views=["v_library"])
    with (tmp_path / "dictionary.csv").open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    told = [(line["view"], line["column"], line["comment"]) for line in lines]
    assert sorted(told) == sorted(columns(library))
    assert all(line["type"] for line in lines)
    page = (tmp_path / "dictionary.md").read_text()
    assert all(f"| {line['column']} | {line['type']} |" in page for line in lines)
    field = parquet.read_schema(tmp_path / "v_library.parquet").field("voiced")
    assert field.metadata[b"comment"].startswith(b"false: unpitched")


def test_vectors_come_only_when_asked_for(fresh_database: Database, tmp_path: Path) -> None:
    library = SyntheticLibrary(fresh_database.app)
    library.add("reference", "a", [1, 0, 0])
    library.add("reference", "b", [0, 3, 4])
    name = f"v_embedding_{library.encoder_id}"
    assert name not in export(tmp_path)
    assert name not in (tmp_path / "dictionary.csv").read_text()
    assert export(tmp_path, vectors=True)[name] == 2
    table = parquet.read_table(tmp_path / f"{name}.parquet")
    assert table.schema.field("embedding").type.list_size == 3
    assert sorted(row["embedding"] for row in table.to_pylist()) == [
        pytest.approx([0, 0.6, 0.8]),
        [1, 0, 0],
    ]


def test_what_is_written_meanwhile_is_in_no_file(library: Database, tmp_path: Path) -> None:
    def add(done: int, _total: int) -> None:
        if done == 1:
            with library.owner.begin() as connection:
                connection.execute(text("DELETE FROM mirpipe.served_neighbour"))

    views = ["v_library", "v_retrieval"]
    assert export(tmp_path, views=views, progress=add)["v_retrieval"] == 2
    assert export(tmp_path, views=views)["v_retrieval"] == 0


def test_an_export_that_ends_early_leaves_the_files_of_the_last_one(
    library: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(tmp_path, views=["v_library", "v_retrieval"])
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "_dictionary", full)
    result = run(str(tmp_path))
    assert result.exit_code == 1
    assert "No space left" in str(result.exception)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_what_a_killed_export_left_is_cleared(library: Database, tmp_path: Path) -> None:
    (tmp_path / ".partial").mkdir()
    (tmp_path / ".partial" / "v_library.parquet").write_bytes(b"half")
    assert run(str(tmp_path), "--view", "v_change", "--json").stdout == '{"v_change": 1}\n'
    names = {file.name for file in tmp_path.iterdir()}
    assert names == {"v_change.parquet", "dictionary.md", "dictionary.csv"}


def test_two_exports_do_not_write_into_one_folder(library: Database, tmp_path: Path) -> None:
    held = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    result = run(str(tmp_path))
    os.close(held)
    assert result.exit_code == 1
    assert "another export writes into" in str(result.exception)


@pytest.mark.parametrize("words", [("--view", "v_nothing"), ("--view", "track")])
def test_a_view_that_is_not_there_is_wrong_usage(
    library: Database, tmp_path: Path, words: tuple[str, ...]
) -> None:
    result = run(str(tmp_path), *words)
    assert result.exit_code == 2
    assert "v_retrieval_summary" in result.stderr


def test_a_file_is_no_folder_to_write_into(library: Database, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert run(str(tmp_path / "file")).exit_code == 2
