"""`mirpipe duplicates` lists groups with the evidence, and says why a track has no fingerprint."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import soundfile
from typer.testing import CliRunner

from mirpipe.audio import chromaprint
from mirpipe.cli.main import app
from mirpipe.library.same_recordings import find_same_recordings
from mirpipe.stages.ingest import ingest
from tests.stages.synthetic_matches import SyntheticMatches
from tests.support.databases import Database
from tests.support.encoded_audio import HAS_FFMPEG
from tests.support.synthetic_music import melody

RATE = 22_050
needs_ffmpeg = pytest.mark.skipif(not HAS_FFMPEG, reason="ffmpeg is not installed")


def duplicates(*options: str) -> str:
    result = CliRunner().invoke(app, ["duplicates", *options], catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def groups(*options: str) -> list[tuple[list[str], list[str]]]:
    """Return the sorted titles and the relations of each group."""
    found = json.loads(duplicates("--json", *options))["groups"]
    return [
        (
            sorted(track["title"] for track in group["tracks"]),
            [pair["relation"] for pair in group["pairs"]],
        )
        for group in found
    ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with references and targets, some of which are copies."""
    references, targets = tmp_path / "references", tmp_path / "targets"
    for path in (references, targets):
        path.mkdir()
    soundfile.write(references / "茉莉花.flac", melody(20, RATE), RATE)
    soundfile.write(references / "other [live].flac", melody(20, RATE, seed=1), RATE)
    shutil.copy(references / "other [live].flac", references / "again.flac")
    soundfile.write(targets / "cut.ogg", melody(20, RATE)[RATE * 4 :], RATE)
    shutil.copy(references / "茉莉花.flac", targets / "茉莉花.flac")
    return tmp_path


def ingest_all(folder: Path) -> None:
    ingest([folder / "references"], collection="reference")
    ingest([folder / "targets"], collection="target")


@needs_ffmpeg
def test_copies_files_and_cuts_form_groups(fresh_database: Database, folder: Path) -> None:
    assert duplicates() == "no duplicates\n"
    ingest_all(folder)
    assert "Tracks not compared yet: 4. Run `mirpipe run`." in duplicates()
    find_same_recordings()
    (piece, relations), (copies, none) = groups()
    assert piece == ["cut", "茉莉花", "茉莉花"]
    assert sorted(relations) == ["same_file", "same_recording", "same_recording"]
    assert (len(copies), none) == (1, [])
    printed = duplicates()
    assert "茉莉花 (target)" in printed
    assert str(folder / "references/other [live].flac") in printed
    assert str(folder / "references/again.flac") in printed
    assert "% equal bits" in printed


@needs_ffmpeg
def test_relations_and_collections_are_filtered(fresh_database: Database, folder: Path) -> None:
    ingest_all(folder)
    find_same_recordings()
    assert [len(titles) for titles, _ in groups("--collection", "reference")] == [1]
    assert groups("--collection", "target") == [(["cut", "茉莉花"], ["same_recording"])]
    assert groups("--relation", "same_tune") == []
    only_files = groups("--relation", "same_file")
    assert only_files[0][0] == ["茉莉花", "茉莉花"]


def test_it_says_what_to_do_if_chromaprint_is_missing(
    fresh_database: Database, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chromaprint, "_revision", lambda _library: None)
    ingest_all(folder)
    printed = duplicates()
    assert "Tracks without a fingerprint: 4" in printed
    assert "apt-get install libchromaprint1" in " ".join(printed.split())
    assert json.loads(duplicates("--json"))["missing"] == {"needs_chromaprint": 4}
    assert "茉莉花" in printed  # Copies of a file are found without fingerprints.


@pytest.fixture
def tunes(fresh_database: Database) -> SyntheticMatches:
    """Return a library in which one target is similar to three references."""
    library = SyntheticMatches(fresh_database)
    target = library.add("target", "target", [1, 0, 0])
    for title, aligned in (("version", 0.8), ("cover", 0.56), ("unrelated", 0.47)):
        reference = library.add("reference", title, [1, 0, 0])
        library.execute(
            "INSERT INTO mirpipe.pair_score (metric_id, target_id, reference_id, value) "
            "SELECT metric_id, :target, :reference, :value FROM mirpipe.metric "
            "WHERE name = 'aligned_melody'",
            target=target,
            reference=reference,
            value=aligned,
        )
    return library


def relations_of(library: SyntheticMatches) -> dict[tuple[str, str], tuple[Any, ...]]:
    rows = library.rows(
        "SELECT track, other, relation, aligned_melody, via_target_id IS NULL "
        "FROM mirpipe.v_relation"
    )
    return {(row[0], row[1]): tuple(row[2:]) for row in rows}


def test_the_same_tune_is_found_from_aligned_melody_alone(tunes: SyntheticMatches) -> None:
    found = relations_of(tunes)
    assert found == {
        ("target", "version"): ("same_tune", 0.8, True),
        ("version", "target"): ("same_tune", 0.8, True),
        ("target", "cover"): ("same_tune", 0.56, True),
        ("cover", "target"): ("same_tune", 0.56, True),
        ("version", "cover"): ("same_tune", None, False),
        ("cover", "version"): ("same_tune", None, False),
    }
    assert groups() == []
    ((titles, relations),) = groups("--relation", "same_tune")
    assert titles == ["cover", "target", "version"]
    assert relations == ["same_tune"] * 3
    assert "versions of the same target" in duplicates("--relation", "same_tune")


def test_a_recording_is_not_listed_as_a_tune_again(tunes: SyntheticMatches) -> None:
    tunes.execute(
        "INSERT INTO mirpipe.same_recording SELECT least(t.track_id, r.track_id), "
        "greatest(t.track_id, r.track_id), 0.9, 10, 0 FROM mirpipe.track t, mirpipe.track r "
        "WHERE t.title = 'target' AND r.title = 'unrelated'"
    )
    found = relations_of(tunes)
    assert found["target", "unrelated"] == ("same_recording", 0.47, True)
    assert found["unrelated", "target"] == ("same_recording", 0.47, True)
    assert found["version", "unrelated"] == ("same_tune", None, False)


def test_a_track_that_is_gone_has_no_relation(tunes: SyntheticMatches) -> None:
    tunes.execute("UPDATE mirpipe.track SET state = 'gone' WHERE title = 'version'")
    assert {pair for pair in relations_of(tunes) if "version" in pair} == set()
