"""Copies, cuts and other encodings are found as the same recording, after any history of runs."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr
from sqlalchemy import text

from mirpipe.audio import chromaprint
from mirpipe.db.snapshot import open_snapshot
from mirpipe.db.store import same_recordings as store
from mirpipe.db.store.content_digest import digests
from mirpipe.db.store.recompute_and_compare import differences
from mirpipe.library import same_recordings
from mirpipe.library.same_recordings import find_same_recordings
from mirpipe.library.unmeasured_tracks import measure_tracks
from mirpipe.records import Float32
from mirpipe.stages.ingest import ingest
from tests.support.databases import Database
from tests.support.encoded_audio import HAS_FFMPEG
from tests.support.synthetic_music import melody

RATE = 22_050
pytestmark = pytest.mark.skipif(not HAS_FFMPEG, reason="ffmpeg is not installed")


def write(path: Path, samples: Float32, **options: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, RATE, **options)


@pytest.fixture
def library(unchanged: Path, tmp_path: Path) -> Path:
    """Return a copy of the folder that the test can change."""
    return Path(shutil.copytree(unchanged, tmp_path, dirs_exist_ok=True))


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a piece, an unrelated piece, and copies of the first as targets."""
    folder = tmp_path_factory.mktemp("library")
    piece = melody(30, RATE)
    write(folder / "references/piece.flac", piece)
    write(folder / "references/unrelated.flac", melody(30, RATE, seed=1))
    targets = folder / "targets"
    write(targets / "mp3.mp3", piece, bitrate_mode="CONSTANT", compression_level=0.8)
    write(targets / "ogg.ogg", piece * 0.2)
    write(targets / "cut.wav", piece[RATE * 7 + 1111 : RATE * 17])
    silence = np.zeros(RATE * 5, np.float32)
    write(targets / "late.wav", np.concatenate([silence, melody(12, RATE, seed=5), piece[RATE:]]))
    write(targets / "stereo.aiff", np.stack([piece, piece * 0.5], axis=1))
    telephone = soxr.resample(piece, RATE, 8000)
    soundfile.write(targets / "telephone.wav", telephone, 8000, subtype="PCM_U8")
    write(targets / "other.wav", melody(30, RATE, seed=2))
    return folder


def ingest_all(library: Path) -> None:
    ingest([library / "references"], collection="reference")
    ingest([library / "targets"], collection="target")


def rows(database: Database, query: str) -> list[tuple[Any, ...]]:
    with database.reader.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def found(database: Database) -> dict[str, tuple[float, float]]:
    """Return the overlap and offset of each reference found for `piece`, by title."""
    query = (
        "SELECT o.title, overlap_seconds, offset_seconds FROM mirpipe.v_same_recording s "
        "JOIN mirpipe.track t USING (track_id) JOIN mirpipe.track o ON o.track_id = s.other_id "
        "WHERE t.title = 'piece' AND relation = 'same_recording'"
    )
    return {title: (overlap, offset) for title, overlap, offset in rows(database, query)}


def content(database: Database) -> dict[str, str]:
    """Return the digest of both tables."""
    with open_snapshot("reader") as connection:
        found = digests(connection)
    return {name: found[name] for name in ("fingerprint", "same_recording")}


def wrong(database: Database) -> list[str]:
    with open_snapshot("app") as connection:
        return [found.message for found in differences(connection)]


def test_copies_cuts_and_encodings_are_found_and_unrelated_music_is_not(
    fresh_database: Database, library: Path
) -> None:
    ingest_all(library)
    assert found(fresh_database) == {}
    assert find_same_recordings() == 21  # Six copies and the piece, each with each.
    pairs = found(fresh_database)
    assert pairs.keys() == {"mp3", "ogg", "cut", "late", "stereo", "telephone"}
    assert pairs["mp3"] == pytest.approx((30, 0), abs=0.5)
    assert pairs["ogg"] == pytest.approx((30, 0), abs=0.5)
    assert pairs["stereo"] == pytest.approx((30, 0), abs=0.5)
    assert pairs["telephone"] == pytest.approx((30, 0), abs=0.5)
    assert pairs["cut"] == pytest.approx((10, -7), abs=0.6)
    assert pairs["late"] == pytest.approx((29, 16), abs=1)
    assert find_same_recordings() == 0
    assert wrong(fresh_database) == []


def test_both_directions_have_opposite_offsets(fresh_database: Database, library: Path) -> None:
    ingest_all(library)
    find_same_recordings()
    offsets = {
        (track, other): offset
        for track, other, offset in rows(
            fresh_database,
            "SELECT track_id, other_id, offset_seconds FROM mirpipe.v_same_recording",
        )
    }
    assert len(offsets) == 42
    assert all(offsets[other, track] == -offset for (track, other), offset in offsets.items())


def test_the_same_audio_in_two_collections_is_the_same_file(
    fresh_database: Database, library: Path
) -> None:
    shutil.copy(library / "references/piece.flac", library / "targets/copy of the piece.flac")
    ingest_all(library)
    find_same_recordings()
    query = (
        "SELECT o.title, relation, agreement, offset_seconds FROM mirpipe.v_same_recording s "
        "JOIN mirpipe.track t USING (track_id) JOIN mirpipe.track o ON o.track_id = s.other_id "
        "WHERE t.title = 'piece' AND o.title LIKE 'copy%'"
    )
    assert rows(fresh_database, query) == [("copy of the piece", "same_file", 1.0, 0.0)]


def test_a_new_track_is_compared_with_all_others_and_they_are_not_compared_again(
    fresh_database: Database, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest([library / "references"], collection="reference")
    find_same_recordings()
    compared: list[int] = []
    original = store.find_pairs

    def recorded(connection: Any, track: store.ComparedFingerprint) -> Any:
        compared.append(track.track_id)
        return original(connection, track)

    monkeypatch.setattr(same_recordings.same_recordings, "find_pairs", recorded)
    write(library / "references/new.ogg", melody(30, RATE))
    ingest([library / "references"], collection="reference")
    assert find_same_recordings() == 1
    assert len(compared) == 1
    assert found(fresh_database).keys() == {"new"}


@pytest.mark.slow
def test_the_order_of_the_runs_does_not_change_the_tables(
    fresh_database: Database, library: Path
) -> None:
    ingest_all(library)
    find_same_recordings()
    expected = content(fresh_database)
    with fresh_database.owner.begin() as connection:
        connection.execute(text("DELETE FROM mirpipe.track_file"))
        connection.execute(text("TRUNCATE mirpipe.track CASCADE"))
    assert rows(fresh_database, "SELECT count(*) FROM mirpipe.fingerprint") == [(0,)]
    for name in (
        "late.wav",
        "other.wav",
        "cut.wav",
        "mp3.mp3",
        "ogg.ogg",
        "stereo.aiff",
        "telephone.wav",
    ):
        ingest([library / "targets" / name], collection="target", allow_removal=True)
        find_same_recordings()
    ingest([library / "references"], collection="reference")
    find_same_recordings()
    assert content(fresh_database) == expected
    assert wrong(fresh_database) == []


def test_a_track_that_cannot_be_decoded_now_has_no_reason_that_is_untrue(
    fresh_database: Database, library: Path
) -> None:
    ingest_all(library)
    with fresh_database.app.begin() as connection:
        connection.execute(text("DELETE FROM mirpipe.fingerprint"))
    for path in (library / "references").iterdir():
        path.rename(library / path.name)
    measure_tracks("reference", workers=1)
    measure_tracks("target", workers=1)
    missing = rows(
        fresh_database,
        "SELECT DISTINCT t.collection, f.reason FROM mirpipe.track t "
        "LEFT JOIN mirpipe.fingerprint f USING (track_id) WHERE f.frames IS NULL",
    )
    assert missing == [("reference", None)]


@pytest.mark.slow
def test_a_killed_run_is_finished_by_the_next(
    fresh_database: Database, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest_all(library)
    find_same_recordings()
    expected = content(fresh_database)
    with fresh_database.app.begin() as connection:
        connection.execute(text("DELETE FROM mirpipe.same_recording"))
        store.compare_all_again(connection)
    code = (
        "import os, signal\n"
        "from mirpipe.library import same_recordings as library\n"
        "from mirpipe.db.store import same_recordings as store\n"
        "library.BATCH_TRACKS = 2\n"
        "replace, calls = store.replace_pairs, []\n"
        "def kill(*arguments):\n"
        "    replace(*arguments)\n"
        "    calls.append(1)\n"
        "    if len(calls) == 5:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "store.replace_pairs = kill\n"
        "library.find_same_recordings()\n"
    )
    killed = subprocess.run([sys.executable, "-c", code], check=False, timeout=60, env=os.environ)
    assert killed.returncode == -signal.SIGKILL
    pending = rows(fresh_database, "SELECT count(*) FROM mirpipe.fingerprint_change")
    assert pending == [(5,)]
    assert content(fresh_database) != expected
    find_same_recordings()
    assert content(fresh_database) == expected


def test_a_removed_track_is_hidden_and_shown_again_if_it_returns(
    fresh_database: Database, library: Path
) -> None:
    ingest_all(library)
    find_same_recordings()
    before = found(fresh_database)
    (library / "targets/cut.wav").rename(library / "cut.wav")
    ingest([library / "targets"], collection="target", allow_removal=True)
    assert found(fresh_database).keys() == before.keys() - {"cut"}
    (library / "cut.wav").rename(library / "targets/cut.wav")
    ingest([library / "targets"], collection="target")
    assert find_same_recordings() == 0
    assert found(fresh_database) == before


@pytest.mark.slow
def test_fingerprints_of_another_algorithm_replace_the_old_ones_and_their_pairs(
    fresh_database: Database, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest_all(library)
    find_same_recordings()
    before = found(fresh_database)
    monkeypatch.setattr(chromaprint, "_revision", lambda _library: "another")
    ingest([library / "references"], collection="reference")
    assert found(fresh_database) == {}
    assert find_same_recordings() == 0  # The targets have fingerprints of the old algorithm.
    ingest([library / "targets"], collection="target")
    assert find_same_recordings() == 21
    assert found(fresh_database) == before


def test_tracks_without_chromaprint_have_a_reason_and_are_measured_when_it_is_installed(
    fresh_database: Database, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(chromaprint, "_revision", lambda _library: None)
        ingest_all(library)
        reasons = rows(fresh_database, "SELECT DISTINCT reason FROM mirpipe.fingerprint")
        assert reasons == [("needs_chromaprint",)]
        assert find_same_recordings() == 0
    ingest_all(library)
    find_same_recordings()
    assert len(found(fresh_database)) == 6
    before = content(fresh_database)
    monkeypatch.setattr(chromaprint, "_revision", lambda _library: None)
    ingest_all(library)
    assert content(fresh_database) == before


def test_tracks_of_an_earlier_version_get_fingerprints_in_the_next_ingest(
    fresh_database: Database, library: Path
) -> None:
    ingest_all(library)
    find_same_recordings()
    before = content(fresh_database)
    with fresh_database.app.begin() as connection:
        connection.execute(text("DELETE FROM mirpipe.same_recording"))
        connection.execute(text("DELETE FROM mirpipe.fingerprint"))
    assert find_same_recordings() == 0
    ingest_all(library)
    assert find_same_recordings() == 21
    assert content(fresh_database) == before


def test_verify_reports_a_missing_and_a_wrong_pair_and_a_rebuild_repairs_them(
    fresh_database: Database, library: Path
) -> None:
    ingest_all(library)
    find_same_recordings()
    before = content(fresh_database)
    with fresh_database.app.begin() as connection:
        connection.execute(
            text(
                "DELETE FROM mirpipe.same_recording WHERE track_id = (SELECT min(track_id) "
                "FROM mirpipe.track WHERE title = 'piece')"
            )
        )
        connection.execute(text("UPDATE mirpipe.same_recording SET agreement = 0.5"))
    assert len(wrong(fresh_database)) == 21
    assert "mirpipe evaluate --rebuild" in wrong(fresh_database)[0]
    find_same_recordings(rebuild=True)
    assert wrong(fresh_database) == []
    assert content(fresh_database) == before
