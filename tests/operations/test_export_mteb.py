"""The dataset for MTEB: its layout, its relevant pairs, its audio and its predictions."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from pyarrow import parquet
from typer.testing import CliRunner, Result

from mirpipe.cli.main import app
from mirpipe.settings import settings
from mirpipe.stages.report import report
from mirpipe.stages.retrieve import retrieve
from tests.support.databases import Database
from tests.support.synthetic_library import SyntheticLibrary, sha256

FILE = "test-00000-of-00001.parquet"
ONLY_INSTRUMENT = """
    UPDATE mirpipe.track SET labels = '{"instrument": "fiddle"}' WHERE collection = 'target'
"""


@pytest.fixture
def library(fresh_database: Database, tmp_path: Path) -> SyntheticLibrary:
    """A target and four references. One contains the target's recording, and one its content."""
    library = SyntheticLibrary(fresh_database.app)
    folk = {"genre": "folk; jazz", "work": "reel"}
    ids = {
        name: library.add("reference", name, vector, labels=labels)
        for name, vector, labels in (
            ("near", [1, 0.2, 0], {"genre": "jazz"}),
            ("far", [0, 1, 0], {"genre": "rock", "instrument": "fiddle"}),
            ("cut", [1, 0.1, 0], folk),
            ("query", [1, 0, 0], folk),
        )
    }
    ids["target"] = library.add("target", "query", [1, 0, 0], labels=folk)
    library.add_same_recording(ids["cut"], ids["target"])
    for name, track_id in ids.items():
        file = tmp_path / "music" / f"{name}.wav"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(f"audio of {name}".encode())
        library.execute(
            "UPDATE mirpipe.track_file SET path = :path, path_text = :text WHERE track_id = :id",
            path=os.fsencode(file),
            text=str(file),
            id=track_id,
        )
    retrieve()
    report(trigger="test")
    return library


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["export", "--mteb", *words])


def read(folder: Path, part: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = parquet.read_table(folder / part / FILE).to_pylist()
    return rows


def hash_of(content: str) -> str:
    return sha256(content).hex()


def test_targets_are_queries_and_references_are_the_corpus(
    library: SyntheticLibrary, tmp_path: Path
) -> None:
    result = run(str(tmp_path / "out"), "--json")
    assert json.loads(result.stdout) == {
        **{"corpus": 4, "queries": 1, "genre-qrels": 1, "instrument-qrels": 0, "work-qrels": 0}
    }
    corpus = {row["id"]: row for row in read(tmp_path / "out", "corpus")}
    assert set(corpus) == {hash_of(name) for name in ("near", "far", "cut", "query")}
    assert corpus[hash_of("far")] == {
        "id": hash_of("far"),
        "audio": {"bytes": None, "path": str(tmp_path / "music" / "far.wav")},
        "metadata": {"title": "far", "genre": "rock", "instrument": "fiddle", "work": ""},
    }
    [query] = read(tmp_path / "out", "queries")
    assert query["metadata"]["work"] == "reel"


def test_references_that_share_a_label_are_relevant(
    library: SyntheticLibrary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(str(tmp_path / "out"))
    near = {"query-id": hash_of("query"), "corpus-id": hash_of("near"), "score": 1}
    # The reference with the same recording and the one with the same content are left out.
    assert read(tmp_path / "out", "qrels/genre") == [near]
    assert not (tmp_path / "out" / "qrels" / "work" / FILE).exists()
    monkeypatch.setenv("MIRPIPE_SAME_RECORDING_COUNTS", "true")
    settings.cache_clear()
    run(str(tmp_path / "out"))
    relevant = [row["corpus-id"] for row in read(tmp_path / "out", "qrels/genre")]
    assert relevant == sorted([hash_of("near"), hash_of("cut")])
    assert [row["corpus-id"] for row in read(tmp_path / "out", "qrels/work")] == [hash_of("cut")]


def test_the_card_has_a_configuration_per_label_and_the_schema_has_an_audio_column(
    library: SyntheticLibrary, tmp_path: Path
) -> None:
    run(str(tmp_path / "out"))
    _, card, _ = (tmp_path / "out" / "README.md").read_text().split("---\n", 2)
    configs = yaml.safe_load(card)["configs"]
    assert [config["config_name"] for config in configs] == [
        *("genre-corpus", "genre-queries", "genre-qrels"),
    ]
    for config in configs:
        [files] = config["data_files"]
        assert files["split"] == "test"
        assert len(list((tmp_path / "out").glob(files["path"]))) == 1, config
    metadata = parquet.read_schema(tmp_path / "out" / "corpus" / FILE).metadata
    features = json.loads(metadata[b"huggingface"])["info"]["features"]
    assert features["audio"] == {"_type": "Audio"}


def test_predictions_contain_the_matches_that_count(
    library: SyntheticLibrary, tmp_path: Path
) -> None:
    run(str(tmp_path / "out"))
    predictions = json.loads((tmp_path / "out" / "predictions" / "made_up.json").read_text())
    assert predictions["mteb_model_meta"] == {"model_name": "made_up", "revision": "r1"}
    matches = predictions["genre"]["test"][hash_of("query")]
    assert set(matches) == {hash_of("near"), hash_of("far")}
    assert matches[hash_of("near")] == pytest.approx(1 / 1.04**0.5)
    assert set(predictions) == {"mteb_model_meta", "genre"}


def test_audio_is_copied_on_request_and_for_paths_that_are_not_utf8(
    library: SyntheticLibrary, tmp_path: Path
) -> None:
    odd = tmp_path / "music" / os.fsdecode(b"caf\xe9.wav")
    (tmp_path / "music" / "near.wav").rename(odd)
    library.execute(
        "UPDATE mirpipe.track_file SET path = :path WHERE path_text LIKE '%near.wav'",
        path=os.fsencode(odd),
    )
    run(str(tmp_path / "out"))
    audio = {row["id"]: row["audio"] for row in read(tmp_path / "out", "corpus")}
    assert audio[hash_of("near")] == {
        "bytes": b"audio of near",
        "path": f"{hash_of('near')}.wav",
    }
    assert audio[hash_of("far")]["bytes"] is None
    run(str(tmp_path / "out"), "--with-audio")
    copied = {row["audio"]["bytes"] for row in read(tmp_path / "out", "corpus")}
    assert copied == {f"audio of {name}".encode() for name in ("near", "far", "cut", "query")}


def files_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_only_files_of_an_earlier_export_that_are_not_written_any_more_are_deleted(
    library: SyntheticLibrary, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run(str(out))
    (out / "predictions" / "by_mteb.json").write_text("{}")
    (out / "notes.txt").write_text("mine")
    assert f"qrels/genre/{FILE}" in files_in(out)
    library.execute(ONLY_INSTRUMENT)
    assert run(str(out)).exit_code == 0
    assert files_in(out) == {
        *(f"corpus/{FILE}", f"queries/{FILE}", "predictions/made_up.json"),
        *("README.md", ".files.json", "notes.txt", "predictions/by_mteb.json"),
        f"qrels/instrument/{FILE}",
    }


def test_an_export_that_stops_while_it_moves_its_files_is_completed_by_the_next_one(
    library: SyntheticLibrary, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run(str(out))
    before, card = files_in(out), (out / "README.md").read_bytes()
    library.execute(ONLY_INSTRUMENT)
    (out / "queries").rename(tmp_path / "queries")
    (out / "queries").write_text("no folder")
    assert run(str(out)).exit_code == 1
    (out / "queries").unlink()
    (tmp_path / "queries").rename(out / "queries")
    assert files_in(out) == before | {f"qrels/instrument/{FILE}"}
    assert (out / "README.md").read_bytes() == card
    assert run(str(out)).exit_code == 0
    assert before - files_in(out) == {f"qrels/genre/{FILE}"}
    assert (out / "README.md").read_bytes() != card


def test_a_missing_audio_file_keeps_the_earlier_export(
    library: SyntheticLibrary, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run(str(out))
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    (tmp_path / "music" / "far.wav").unlink()
    result = run(str(out), "--with-audio")
    assert result.exit_code == 1
    assert "far.wav: No such file or directory. If the file was moved" in str(result.exception)
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


def test_without_shared_labels_nothing_is_written(
    library: SyntheticLibrary, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run(str(out))
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    library.execute("UPDATE mirpipe.track SET labels = '{}' WHERE collection = 'target'")
    result = run(str(out))
    assert result.exit_code == 1
    assert "Label the tracks of both collections by tags or a manifest" in str(result.exception)
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


def test_a_second_export_is_equal(library: SyntheticLibrary, tmp_path: Path) -> None:
    contents = []
    for name in ("a", "b"):
        run(str(tmp_path / name))
        contents.append(
            {
                path.relative_to(tmp_path / name): path.read_bytes()
                for path in (tmp_path / name).rglob("*")
                if path.is_file()
            }
        )
    assert contents[0] == contents[1]


@pytest.mark.parametrize("words", [["--view", "v_library"], ["--vectors"]])
def test_views_and_the_dataset_are_exported_separately(
    fresh_database: Database, tmp_path: Path, words: list[str]
) -> None:
    assert run(str(tmp_path), *words).exit_code == 2
    assert CliRunner().invoke(app, ["export", str(tmp_path), "--with-audio"]).exit_code == 2
