"""Export tests: the Parquet files contain the rows of one database snapshot."""

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
from mirpipe.db.queries import view_snapshot
from mirpipe.operations import export as module
from mirpipe.operations.export import export
from mirpipe.published.load_tables import load
from tests.dashboard.example_library import Model, Piece, fill
from tests.support.databases import Database
from tests.support.synthetic_library import SyntheticLibrary

PIECES = (
    Piece("target", "t", labels={"genre": "folk", "style": "ü | x"}),
    Piece("reference", "r", Path("/r.ogg")),
    Piece("reference", "far", Path("/far.ogg"), voiced=False),
)
VECTOR_VIEWS = r"^v_embedding_\d+$"


@pytest.fixture
def library(fresh_database: Database) -> Database:
    with fresh_database.owner.begin() as connection:
        fill(connection, PIECES, [Model("real", 0.5, 0.1)])
    return fresh_database


def ask(database: Database, query: str, **values: object) -> list[tuple[Any, ...]]:
    with database.reader.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query), values)]


def columns(database: Database) -> list[tuple[str, str, str]]:
    """Return view, column and comment of every view column, except in vector views."""
    return ask(
        database,
        "SELECT c.relname, a.attname, coalesce(col_description(c.oid, a.attnum), '') "
        "FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 "
        "WHERE c.relnamespace = 'mirpipe'::regnamespace AND c.relkind = 'v' "
        "AND c.relname ^@ 'v_' AND c.relname !~ :vectors",
        vectors=VECTOR_VIEWS,
    )


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["export", *words])


def test_every_view_is_exported_completely(library: Database, tmp_path: Path) -> None:
    load()
    counts = export(tmp_path)
    all_columns = columns(library)
    assert set(counts) == {view for view, _, _ in all_columns}
    for view, rows in counts.items():
        table = parquet.read_table(tmp_path / f"{view}.parquet")
        assert table.num_rows == rows == ask(library, f"SELECT count(*) FROM mirpipe.{view}")[0][0]
        expected = {column for other, column, _ in all_columns if other == view}
        assert set(table.column_names) == expected
    assert counts["v_retrieval"] == 2
    assert counts["v_published"] == 40


def test_exported_values_equal_those_of_the_database(library: Database, tmp_path: Path) -> None:
    export(tmp_path, views=["v_library", "v_retrieval"])
    rows = parquet.read_table(tmp_path / "v_library.parquet").to_pylist()
    by_title = {row["title"]: row for row in rows}
    assert json.loads(by_title["t"]["labels"]) == PIECES[0].labels
    assert by_title["r"]["genre"] is None
    assert by_title["far"]["voiced"] is False
    query = "SELECT track_id, title, seconds, first_seen FROM mirpipe.v_library ORDER BY track_id"
    exported = [(row["track_id"], row["title"], row["seconds"], row["first_seen"]) for row in rows]
    assert sorted(exported) == ask(library, query)
    matches = parquet.read_table(tmp_path / "v_retrieval.parquet").to_pylist()
    exported = [(row["rank"], row["reference"], row["cosine"], row["z"]) for row in matches]
    assert sorted(exported) == ask(
        library, "SELECT rank, reference, cosine, z FROM mirpipe.v_retrieval ORDER BY rank"
    )


def test_the_dictionary_has_a_row_for_every_column(library: Database, tmp_path: Path) -> None:
    export(tmp_path, views=["v_library"])
    with (tmp_path / "dictionary.csv").open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    described = [(line["view"], line["column"], line["comment"]) for line in lines]
    assert sorted(described) == sorted(columns(library))
    assert all(line["type"] for line in lines)
    page = (tmp_path / "dictionary.md").read_text()
    assert all(f"| {line['column']} | {line['type']} |" in page for line in lines)
    field = parquet.read_schema(tmp_path / "v_library.parquet").field("voiced")
    assert field.metadata[b"comment"].startswith(b"false if the track is unpitched")


def test_vectors_are_exported_only_on_request(fresh_database: Database, tmp_path: Path) -> None:
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


def test_vectors_are_read_in_batches_of_a_limited_size(
    fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = SyntheticLibrary(fresh_database.app)
    for number in range(5):
        library.add("reference", str(number), [1, number, 0])
    monkeypatch.setattr(view_snapshot, "BATCH_VALUES", 2 * 3)
    name = f"v_embedding_{library.encoder_id}"
    assert export(tmp_path, views=[name]) == {name: 5}
    file = parquet.ParquetFile(tmp_path / f"{name}.parquet")
    groups = [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)]
    assert groups == [2, 2, 1]


def test_rows_that_change_during_the_export_do_not_affect_it(
    library: Database, tmp_path: Path
) -> None:
    def delete_matches(done: int, _total: int) -> None:
        if done == 1:
            with library.owner.begin() as connection:
                connection.execute(text("DELETE FROM mirpipe.served_neighbour"))

    views = ["v_library", "v_retrieval"]
    assert export(tmp_path, views=views, progress=delete_matches)["v_retrieval"] == 2
    assert export(tmp_path, views=views)["v_retrieval"] == 0


def test_a_failed_export_keeps_the_files_of_the_previous_export(
    library: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(tmp_path, views=["v_library", "v_retrieval"])
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "_write_dictionary", fail)
    result = run(str(tmp_path))
    assert result.exit_code == 1
    assert "No space left" in str(result.exception)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_the_partial_folder_of_a_killed_export_is_deleted(
    library: Database, tmp_path: Path
) -> None:
    (tmp_path / ".partial").mkdir()
    (tmp_path / ".partial" / "v_library.parquet").write_bytes(b"half")
    assert run(str(tmp_path), "--view", "v_change", "--json").stdout == '{"v_change": 1}\n'
    names = {file.name for file in tmp_path.iterdir()}
    assert names == {"v_change.parquet", "dictionary.md", "dictionary.csv"}


def test_two_exports_cannot_write_to_the_same_folder(library: Database, tmp_path: Path) -> None:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    result = run(str(tmp_path))
    os.close(descriptor)
    assert result.exit_code == 1
    assert "another export is writing there" in str(result.exception)


@pytest.mark.parametrize("words", [("--view", "v_nothing"), ("--view", "track")])
def test_an_unknown_view_is_wrong_usage(
    library: Database, tmp_path: Path, words: tuple[str, ...]
) -> None:
    result = run(str(tmp_path), *words)
    assert result.exit_code == 2
    assert "v_retrieval_summary" in result.stderr


def test_a_file_in_place_of_the_folder_is_wrong_usage(library: Database, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert run(str(tmp_path / "file")).exit_code == 2
