"""Vectors that are exported from one library and imported into another."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet
from sqlalchemy import text
from typer.testing import CliRunner, Result

from mirpipe import registry
from mirpipe.cli.main import app
from mirpipe.db import queries
from mirpipe.operations import import_vectors as import_module
from mirpipe.operations import vector_file
from mirpipe.records import Float32
from mirpipe.specs import EncoderSpec
from mirpipe.stages import embed as embed_stage
from mirpipe.stages.report import report
from mirpipe.stages.retrieve import retrieve
from tests.support.audio_files import ingest_folder, tones
from tests.support.databases import Database, DatabasePool
from tests.support.fake_encoders.tiny import SPEC
from tests.support.fake_plugins import add_fakes
from tests.support.killed_import import killed_import

REFERENCES = [100.0 * n for n in range(1, 8)]
FOREIGN = replace(SPEC, name="elsewhere", checkpoint="somebody's weights")


@pytest.fixture(autouse=True)
def _tiny_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    add_fakes(monkeypatch, "encoders")


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def import_json(file: Path, *options: str) -> dict[str, Any]:
    result = run("vectors", "import", file, "--json", *options)
    assert result.exit_code == 0, result.output
    imported: dict[str, Any] = json.loads(result.stdout)
    return imported


def ingest(folder: Path) -> None:
    tones(folder / "references", REFERENCES)
    tones(folder / "targets", [150.0, 1000.0])
    ingest_folder(folder / "references", "reference")
    ingest_folder(folder / "targets", "target")


def embed() -> int:
    embed_stage.plan(["tiny"], batch_tracks=64)
    return embed_stage.embed(["tiny"], batch_tracks=3).embedded


def publish() -> None:
    retrieve()
    report(trigger="test")


def digest() -> str:
    return run("verify", "--digest").stdout


def empty(database: Database) -> None:
    """Delete everything that the database contains."""
    with database.owner.begin() as owner:
        owner.execute(text("TRUNCATE mirpipe.track, mirpipe.encoder, mirpipe.track_file CASCADE"))
        owner.execute(text("TRUNCATE mirpipe.failure, mirpipe.run CASCADE"))


def scalar(database: Database, query: str) -> Any:
    with database.reader.connect() as connection:
        return connection.execute(text(query)).scalar_one()


def imported_n(database: Database) -> int:
    return int(scalar(database, "SELECT coalesce(sum(imported_n), 0) FROM mirpipe.v_encoder"))


def rows_of(file: Path) -> tuple[list[bytes], Float32]:
    table = parquet.read_table(file)
    values = table["embedding"].combine_chunks().flatten().to_numpy()
    return table["content_sha256"].to_pylist(), values.reshape(len(table), -1)


def write_file(file: Path, spec: EncoderSpec, hashes: list[bytes], vectors: Float32) -> Path:
    schema = vector_file.schema(spec, registry.revision(spec))
    batch = vector_file.record_batch(schema, hashes, vectors)
    parquet.write_table(pa.Table.from_batches([batch]), file)
    return file


@pytest.fixture
def exported(fresh_database: Database, database_pool: DatabasePool) -> Path:
    """Return a file with the vectors of a library, and leave the library without vectors."""
    return database_pool.fill(fresh_database, _exported)


def _exported(database: Database, folder: Path) -> Path:
    ingest(folder)
    embed()
    file = folder / "tiny.parquet"
    assert run("vectors", "export", "tiny", file).stdout == f"{file}: 9 vectors of tiny\n"
    empty(database)
    ingest(folder)
    return file


@pytest.fixture
def foreign(exported: Path) -> Path:
    """Return a file of an encoder that is not installed, with the same vectors."""
    return write_file(exported.with_name("foreign.parquet"), FOREIGN, *rows_of(exported))


def test_imported_vectors_give_the_same_results(fresh_database: Database, tmp_path: Path) -> None:
    ingest(tmp_path)
    assert embed() == 9
    publish()
    expected = digest()
    file = tmp_path / "tiny.parquet"
    run("vectors", "export", "tiny", file)

    empty(fresh_database)
    ingest(tmp_path)
    imported = import_json(file)
    assert (imported["imported"], imported["unknown"], imported["present"]) == (9, 0, 0)
    assert embed() == 0
    publish()
    assert digest() == expected
    assert run("verify").exit_code == 0
    again = tmp_path / "again.parquet"
    run("vectors", "export", "tiny", again)
    assert again.read_bytes() == file.read_bytes()


def test_a_second_import_changes_nothing(fresh_database: Database, exported: Path) -> None:
    import_json(exported)
    before = digest(), scalar(fresh_database, "SELECT max(batch_id) FROM mirpipe.embedding_batch")
    second = import_json(exported)
    assert (second["imported"], second["present"]) == (0, 9)
    after = digest(), scalar(fresh_database, "SELECT max(batch_id) FROM mirpipe.embedding_batch")
    assert after == before


def test_vectors_of_an_encoder_that_is_not_installed_can_be_asked(
    fresh_database: Database, exported: Path, foreign: Path
) -> None:
    import_json(exported)
    import_json(foreign)
    embed()  # registers the configured encoders, and leaves the others as they are
    publish()
    asked = "SELECT array_agg((target, rank, reference, cosine)::text ORDER BY target, rank) "
    asked += "FROM mirpipe.v_retrieval WHERE encoder = "
    answers = scalar(fresh_database, f"{asked}'elsewhere'")
    assert len(answers) == 2 * len(REFERENCES)
    assert answers == scalar(fresh_database, f"{asked}'tiny'")
    assert run("verify").exit_code == 0
    found = run("search", "150 Hz", "--encoder", "elsewhere", "--json")
    assert len(json.loads(found.stdout)["answers"]) == len(REFERENCES)


def test_a_report_before_retrieve_is_corrected_by_the_next(
    fresh_database: Database, foreign: Path
) -> None:
    import_json(foreign)
    report(trigger="test")
    publish()
    assert scalar(fresh_database, "SELECT count(*) FROM mirpipe.v_retrieval") == 14


def test_imported_vectors_are_marked(fresh_database: Database, exported: Path) -> None:
    import_json(exported)
    embed()
    publish()
    (revision,) = queries.encoder_revisions()
    assert revision.imported_n == 9
    origins = "SELECT array_agg(DISTINCT (is_imported, device, versions, seconds)::text) "
    assert scalar(fresh_database, f"{origins} FROM mirpipe.embedding_batch") == ["(t,,,)"]
    assert "(imported vectors)" in run("search", "150 Hz", "--encoder", "tiny").stdout
    assert json.loads(run("search", "150 Hz", "--encoder", "tiny", "--json").stdout)["imported"]
    assert "9 vectors of tiny were imported." in run("report").stdout


def test_own_vectors_are_not_marked(fresh_database: Database, tmp_path: Path) -> None:
    ingest(tmp_path)
    embed()
    publish()
    assert imported_n(fresh_database) == 0
    assert "imported" not in run("report").stdout


def test_tracks_that_arrive_later_are_taken_by_another_import(
    fresh_database: Database, exported: Path
) -> None:
    empty(fresh_database)
    ingest_folder(exported.with_name("references"), "reference")
    first = import_json(exported)
    assert (first["imported"], first["unknown"]) == (7, 2)
    ingest_folder(exported.with_name("targets"), "target")
    second = import_json(exported)
    assert (second["imported"], second["present"], second["unknown"]) == (2, 7, 0)


def test_an_existing_vector_is_kept_and_named(
    fresh_database: Database, exported: Path, tmp_path: Path
) -> None:
    import_json(exported)
    hashes, vectors = rows_of(exported)
    changed = vectors.copy()
    changed[0] = -changed[0]
    file = write_file(tmp_path / "changed.parquet", SPEC, hashes, changed)
    before = digest()
    result = run("vectors", "import", file)
    assert result.exit_code == 1
    assert "0 imported, 8 already stored, 1 different, 0 without a track" in result.stdout
    assert "different vectors of this revision for 1 track, and kept them" in result.stderr
    assert " Hz" in result.stderr
    assert digest() == before


def test_the_same_content_twice_in_a_file_is_stored_once(
    fresh_database: Database, exported: Path, tmp_path: Path
) -> None:
    hashes, vectors = rows_of(exported)
    file = write_file(
        tmp_path / "twice.parquet", SPEC, hashes * 2, np.concatenate([vectors, vectors])
    )
    imported = import_json(file)
    assert (imported["imported"], imported["present"]) == (9, 9)


def _nan(vectors: Float32) -> None:
    vectors[4, 1] = np.nan


def _too_long(vectors: Float32) -> None:
    vectors[4] *= 2


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_nan, "Row 5 is not valid: the vector has a value that is not finite."),
        (_too_long, "Row 5 is not valid: the vector has the length 2."),
    ],
)
def test_a_file_with_an_invalid_vector_is_refused(
    fresh_database: Database,
    exported: Path,
    tmp_path: Path,
    spoil: Callable[[Float32], None],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(vector_file, "BLOCK_NUMBERS", 2 * SPEC.dimension)
    hashes, vectors = rows_of(exported)
    vectors = vectors.copy()
    spoil(vectors)
    refused(
        fresh_database, write_file(tmp_path / "spoiled.parquet", SPEC, hashes, vectors), message
    )


def refused(database: Database, file: Path, message: str) -> None:
    """Assert that the import refuses the file with this message, and stores nothing."""
    result = run("vectors", "import", file)
    assert result.exit_code == 3
    assert message in result.stderr
    assert scalar(database, "SELECT count(*) FROM mirpipe.v_encoder") == 0


def with_metadata(file: Path, **changes: str) -> Path:
    """Change the metadata of a file."""
    table = parquet.read_table(file)
    changed = {key.encode(): value.encode() for key, value in changes.items()}
    parquet.write_table(table.replace_schema_metadata(table.schema.metadata | changed), file)
    return file


def test_a_file_with_another_dimension_is_refused(
    fresh_database: Database, exported: Path, tmp_path: Path
) -> None:
    spec = json.dumps(asdict(replace(SPEC, dimension=4)))
    file = with_metadata(exported, encoder_spec=spec)
    refused(fresh_database, file, "embedding must contain lists of 4 float32 values")


def test_a_list_of_another_length_is_refused(fresh_database: Database, exported: Path) -> None:
    table = parquet.read_table(exported)
    lists = [[1.0, 0.0, 0.0]] * 8 + [[1.0, 0.0]]
    column = pa.array(lists, pa.list_(pa.float32()))
    parquet.write_table(table.set_column(1, "embedding", column), exported)
    refused(fresh_database, exported, "Row 9 is not valid: the vector has 2 numbers instead of 3.")


def test_a_missing_vector_is_refused(fresh_database: Database, exported: Path) -> None:
    table = parquet.read_table(exported)
    column = pa.array([None] + [[1.0, 0.0, 0.0]] * 8, pa.list_(pa.float32(), 3))
    parquet.write_table(table.set_column(1, "embedding", column), exported)
    refused(fresh_database, exported, "Row 1 is not valid")


def test_a_truncated_file_is_refused(fresh_database: Database, exported: Path) -> None:
    content = exported.read_bytes()
    exported.write_bytes(content[: len(content) // 2])
    refused(fresh_database, exported, "this is not a parquet file. Copy or export the file again.")


def test_a_file_that_cannot_be_read_is_named_without_codes(
    fresh_database: Database, tmp_path: Path
) -> None:
    missing = tmp_path / "none.parquet"
    for file, reason in (
        (missing, "It cannot be read: No such file or directory. Check its path and permissions."),
        (tmp_path, "It is a folder. Give the name of a Parquet file."),
    ):
        result = run("vectors", "import", file)
        assert (result.exit_code, result.stderr) == (
            3,
            f"mirpipe: Cannot import {file}: {reason}\n",
        )


def test_an_export_to_a_folder_that_does_not_exist_is_explained(
    exported: Path, tmp_path: Path
) -> None:
    file = tmp_path / "none" / "tiny.parquet"
    result = run("vectors", "export", "tiny", file)
    assert result.exit_code == 1
    assert str(result.exception) == (
        f"Cannot write {file}: No such file or directory. Choose another file."
    )


def test_a_damaged_page_is_refused(fresh_database: Database, exported: Path) -> None:
    content = bytearray(exported.read_bytes())
    content[len(content) // 5] ^= 0xFF
    exported.write_bytes(content)
    refused(fresh_database, exported, "not a complete Parquet file")


def test_another_parquet_file_is_refused(fresh_database: Database, tmp_path: Path) -> None:
    file = tmp_path / "other.parquet"
    parquet.write_table(pa.table({"a": [1]}), file)
    refused(fresh_database, file, "do not contain encoder_spec, revision, decoding_version")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"revision": "0" * 16}, "but its spec has revision"),
        ({"decoding_version": "1"}, "decodes audio in another way"),
        ({"encoder_spec": "{}"}, "spec in the file is not valid"),
        ({"encoder_spec": json.dumps(asdict(replace(SPEC, name="a\nb")))}, "name must consist"),
        ({"encoder_spec": json.dumps(asdict(SPEC) | {"gain_dbfs": float("nan")})}, "gain_dbfs"),
        (
            {"encoder_spec": json.dumps(asdict(replace(SPEC, checkpoint="\x1b[31m")))},
            "checkpoint must be one line",
        ),
    ],
)
def test_a_spec_that_does_not_fit_is_refused(
    fresh_database: Database, exported: Path, changes: dict[str, str], message: str
) -> None:
    refused(fresh_database, with_metadata(exported, **changes), message)


def test_another_dimension_of_a_known_revision_is_refused(
    fresh_database: Database, exported: Path, tmp_path: Path
) -> None:
    import_json(exported)
    hashes, vectors = rows_of(exported)
    wider = np.pad(vectors, ((0, 0), (0, 1)))
    file = write_file(tmp_path / "wide.parquet", replace(SPEC, dimension=4), hashes, wider)
    result = run("vectors", "import", file)
    assert result.exit_code == 3
    assert "have 3 dimensions in the library, but 4 in the file" in result.stderr
    assert imported_n(fresh_database) == 9


def test_an_import_that_was_killed_stores_nothing_and_can_be_repeated(
    fresh_database: Database, exported: Path
) -> None:
    killed_import(exported)
    assert imported_n(fresh_database) == 0
    assert import_json(exported)["imported"] == 9


def test_the_configured_revision_stays_active(
    fresh_database: Database, exported: Path, tmp_path: Path
) -> None:
    embed()
    publish()
    other = replace(SPEC, version=2)
    file = write_file(tmp_path / "other.parquet", other, *rows_of(exported))
    result = run("vectors", "import", file, "--activate")
    assert result.exit_code == 0
    assert "Another revision of tiny is configured" in result.stderr
    active = "SELECT revision FROM mirpipe.v_encoder WHERE serving AND wanted"
    assert scalar(fresh_database, active) == registry.revision(SPEC)
    assert scalar(fresh_database, "SELECT count(*) FROM mirpipe.encoder WHERE wanted") == 1


def test_a_new_imported_revision_replaces_the_old_one_on_request(
    fresh_database: Database, foreign: Path, tmp_path: Path
) -> None:
    import_json(foreign)
    publish()
    newer = replace(FOREIGN, version=2)
    file = write_file(tmp_path / "newer.parquet", newer, *rows_of(foreign))
    result = run("vectors", "import", file)
    assert "Another revision of elsewhere is active" in result.stderr
    old, new = (f"elsewhere@{registry.revision(spec)[:8]}" for spec in (FOREIGN, newer))
    words = " ".join(run("compare", old, new).stdout.split())
    for label in (old, new):
        assert f"vectors of {label} were imported. How they were computed is unknown." in words
    assert import_json(file, "--activate")["state"]["active"]
    # The first revision misses the removal of a reference while it is not active.
    references = foreign.with_name("references")
    (references / "100 Hz.wav").unlink()
    ingest_folder(references, "reference")
    publish()
    assert scalar(fresh_database, "SELECT count(*) FROM mirpipe.v_retrieval") == 12
    import_json(foreign, "--activate")
    publish()
    assert scalar(fresh_database, "SELECT count(*) FROM mirpipe.v_retrieval") == 12
    assert run("verify").exit_code == 0


def test_a_file_without_known_tracks_makes_nothing_active(
    fresh_database: Database, foreign: Path
) -> None:
    empty(fresh_database)
    result = run("vectors", "import", foreign)
    assert result.exit_code == 0
    assert "9 vectors of the file belong to no usable track. Run `mirpipe ingest`" in result.stderr
    assert import_json(foreign)["unknown"] == 9
    for table in ("serving_revision", "encoder", "embedding"):
        assert scalar(fresh_database, f"SELECT count(*) FROM mirpipe.{table}") == 0


def test_vectors_are_read_in_blocks(
    fresh_database: Database, exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vector_file, "BLOCK_NUMBERS", 4 * SPEC.dimension)
    progress = []
    import_module.import_vectors(exported, progress=lambda *numbers: progress.append(numbers))
    assert progress == [(4, 9), (8, 9), (9, 9)]


def test_an_encoder_without_vectors_cannot_be_exported(
    fresh_database: Database, tmp_path: Path
) -> None:
    result = run("vectors", "export", "tiny", tmp_path / "tiny.parquet")
    assert result.exit_code == 2
    assert "There are no vectors of 'tiny'" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_vectors_of_an_older_version_are_not_exported(
    fresh_database: Database, tmp_path: Path
) -> None:
    ingest(tmp_path)
    embed()
    with fresh_database.owner.begin() as owner:
        owner.execute(text("UPDATE mirpipe.encoder SET revision = 'that of an older version'"))
    result = run("vectors", "export", "tiny", tmp_path / "tiny.parquet")
    assert result.exit_code == 2
    assert "computed by an older mirpipe" in result.stderr


def test_a_folder_is_no_file_of_vectors(fresh_database: Database, tmp_path: Path) -> None:
    ingest(tmp_path)
    embed()
    assert "is a folder" in str(run("vectors", "export", "tiny", tmp_path).exception)
    result = run("vectors", "import", tmp_path / "missing.parquet")
    assert result.exit_code != 0
    assert "complete Parquet file" not in result.output
