"""Melodies and features of tracks: what analyse writes, leaves alone and puts into the ledger."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text

from mirpipe import audio
from mirpipe.db.store import failure_ledger
from mirpipe.errors import RejectedInput
from mirpipe.music import features
from mirpipe.music.metrics import melody_accuracy
from mirpipe.stages import analyse as stage
from mirpipe.stages.analyse import AnalyseResult, analyse
from tests.support.audio_files import ingest_folder, tone, tones
from tests.support.databases import Database


def rows(database: Database, sql: str, **parameters: object) -> list[tuple]:
    with database.reader.connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql), parameters)]


def melodies(database: Database) -> dict[str, tuple]:
    """By title: frames, pitch classes, voiced fraction, voiced, reason."""
    found = rows(
        database,
        "SELECT title, frames, pitch_classes, voiced_fraction, voiced, m.reason "
        "FROM mirpipe.melody m JOIN mirpipe.track USING (track_id)",
    )
    return {
        title: (frames, classes and bytes(classes), *rest)
        for title, frames, classes, *rest in found
    }


def ledger(database: Database) -> list[tuple]:
    return rows(
        database,
        "SELECT title, stage, reason, retry, attempts, subject FROM mirpipe.v_failure "
        "ORDER BY title",
    )


def break_reading(monkeypatch: pytest.MonkeyPatch, name: str, problem: Exception | None) -> None:
    """Lets reading the file of this name raise; with None, lets it work again."""
    whole = audio.load_mono

    def load(path: Path, *arguments: object, **options: object) -> np.ndarray:
        if problem is not None and path.name == name:
            raise problem
        return whole(path, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(stage.audio, "load_mono", load)


def test_a_track_gets_its_pitch_classes_packed(fresh_database: Database, tmp_path: Path) -> None:
    path = tone(tmp_path / "a.wav", 440.0, seconds=3)
    ingest_folder(tmp_path, "reference")

    assert analyse() == AnalyseResult(measured=1, rejected=0, failed=0)

    expected = melody_accuracy.transcribe(audio.load_mono(path, 44100))
    frames, classes, fraction, voiced, reason = melodies(fresh_database)["a"]
    assert (frames, reason) == (1 + 3 * 44100 // 256, None)
    np.testing.assert_array_equal(melody_accuracy.unpack(classes, frames), expected.pitch_classes)
    assert set(melody_accuracy.unpack(classes, frames)[5:-5]) == {9}
    assert (fraction, voiced) == (expected.voiced_fraction, True)


def test_a_second_run_decodes_nothing(
    fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tones(tmp_path, [220, 330, 440])
    ingest_folder(tmp_path, "reference")
    analyse(batch_tracks=2)
    monkeypatch.delattr(stage.audio, "load_mono")

    assert analyse() == AnalyseResult(0, 0, 0)
    assert stage.plan() == []
    assert ledger(fresh_database) == []


def test_one_decoding_gives_melody_and_features_of_any_collection(
    fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tone(tmp_path / "a.wav", 440.0, seconds=3)
    ingest_folder(tmp_path, "reference")
    whole, read = audio.load_mono, []
    monkeypatch.setattr(
        stage.audio, "load_mono", lambda *a, **o: (read.append(a[0]), whole(*a, **o))[1]
    )
    transcribe, transcribed = melody_accuracy.transcribe, []
    monkeypatch.setattr(
        melody_accuracy, "transcribe", lambda s: (transcribed.append(len(s)), transcribe(s))[1]
    )

    analyse()

    assert (len(read), transcribed) == (1, [3 * 44100])
    measured = features.to_row(features.measure(whole(path, 44100)))
    ((fraction, notes),) = rows(
        fresh_database, "SELECT voiced_fraction, notes FROM mirpipe.track_feature"
    )
    assert (fraction, bytes(notes)) == (measured["voiced_fraction"], measured["notes"])
    assert len(melodies(fresh_database)) == 1


def test_a_melody_stays_where_features_fail(
    fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tones(tmp_path, [220])
    ingest_folder(tmp_path, "reference")
    with monkeypatch.context() as patch:
        patch.setattr(stage.features, "measure", lambda *_: 1 / 0)
        assert analyse() == AnalyseResult(measured=0, rejected=0, failed=1)
    assert len(melodies(fresh_database)) == 1

    assert analyse() == AnalyseResult(measured=1, rejected=0, failed=0)
    assert ledger(fresh_database) == []


def test_only_the_tracks_asked_for_are_measured(fresh_database: Database, tmp_path: Path) -> None:
    tones(tmp_path, [220, 330, 440])
    ingest_folder(tmp_path, "reference")
    first, second, third = stage.plan()

    assert analyse([third]).measured == 1
    assert stage.plan() == [first, second]
    assert stage.plan("target") == []
    assert analyse([first, second, third, 999]).measured == 2


def test_progress_counts_up_to_what_was_missing(fresh_database: Database, tmp_path: Path) -> None:
    tones(tmp_path, [220, 330, 440])
    ingest_folder(tmp_path, "reference")
    seen: list[tuple[int, int]] = []

    analyse(batch_tracks=2, progress=lambda done, total: seen.append((done, total)))

    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_a_track_that_is_too_long_is_stored_with_its_reason_and_never_read_again(
    fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(melody_accuracy, "LONGEST_SECONDS", 3)
    tone(tmp_path / "long.wav", 440, seconds=5)
    tone(tmp_path / "short.wav", 440, seconds=3)
    ingest_folder(tmp_path, "reference")

    assert analyse() == AnalyseResult(measured=2, rejected=0, failed=0)

    assert melodies(fresh_database)["long"] == (None, None, None, None, "longer_than_3_s")
    assert analyse() == AnalyseResult(0, 0, 0)


def test_no_more_of_a_long_track_is_decoded_than_says_so(
    fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(melody_accuracy, "LONGEST_SECONDS", 1)
    tone(tmp_path / "long.wav", 440, seconds=20)
    ingest_folder(tmp_path, "reference")
    lengths = []
    transcribe = melody_accuracy.transcribe
    monkeypatch.setattr(
        melody_accuracy, "transcribe", lambda s: (lengths.append(len(s)), transcribe(s))[1]
    )

    analyse()

    assert lengths == [2 * 44100]


def test_a_failure_is_written_down_and_the_rest_of_the_batch_goes_on(
    fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tones(tmp_path, [220, 330, 440])
    ingest_folder(tmp_path, "reference")
    break_reading(monkeypatch, "330 Hz.wav", MemoryError("no room"))

    assert analyse() == AnalyseResult(measured=2, rejected=0, failed=1)
    assert analyse() == AnalyseResult(measured=0, rejected=0, failed=1)

    ((title, stage_name, reason, retry, attempts, subject),) = ledger(fresh_database)
    assert (title, stage_name, reason, retry, attempts) == (
        "330 Hz",
        "analyse",
        "MemoryError",
        True,
        2,
    )
    assert subject.startswith("reference:")
    assert len(subject) == len("reference:") + 64


def test_a_failure_leaves_the_ledger_when_it_works(
    fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tones(tmp_path, [220])
    ingest_folder(tmp_path, "reference")
    with monkeypatch.context() as patch:
        break_reading(patch, "220 Hz.wav", OSError("disk"))
        analyse()
    assert len(ledger(fresh_database)) == 1

    assert analyse().measured == 1
    assert ledger(fresh_database) == []


def test_bad_input_is_left_alone_after_the_first_time(
    fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tones(tmp_path, [220, 330])
    ingest_folder(tmp_path, "reference")
    break_reading(monkeypatch, "220 Hz.wav", RejectedInput("truncated", "220 Hz breaks off"))

    assert analyse() == AnalyseResult(measured=1, rejected=1, failed=0)
    assert analyse() == AnalyseResult(0, 0, 0)
    assert [entry[:5] for entry in ledger(fresh_database)] == [
        ("220 Hz", "analyse", "truncated", False, 1)
    ]


def test_what_another_machine_could_read_is_tried_again(
    fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tones(tmp_path, [220])
    ingest_folder(tmp_path, "reference")
    with monkeypatch.context() as patch:
        break_reading(patch, "220 Hz.wav", RejectedInput("needs_ffmpeg", "no ffmpeg here"))
        assert analyse().rejected == 1

    assert analyse().measured == 1
    assert ledger(fresh_database) == []


def test_a_file_that_changed_since_ingest_is_not_measured(
    fresh_database: Database, tmp_path: Path
) -> None:
    tone(tmp_path / "a.wav", 440)
    ingest_folder(tmp_path, "reference")
    tone(tmp_path / "a.wav", 441)

    assert analyse().failed == 1
    assert melodies(fresh_database) == {}
    assert [entry[2] for entry in ledger(fresh_database)] == ["ContentChanged"]


def test_a_batch_that_could_not_be_written_leaves_the_earlier_ones(
    fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tones(tmp_path, [220, 330, 440])
    ingest_folder(tmp_path, "reference")
    written = []

    def clear(*_: object, **options: object) -> None:
        written.append(options)
        if len(written) == 2:
            raise RuntimeError("server went away")

    with monkeypatch.context() as patch:
        patch.setattr(failure_ledger, "clear", clear)
        with pytest.raises(RuntimeError, match="went away"):
            analyse(batch_tracks=2)

    assert len(melodies(fresh_database)) == 2
    assert analyse(batch_tracks=2).measured == 1


def test_two_at_once_measure_every_track(fresh_database: Database, tmp_path: Path) -> None:
    tones(tmp_path, [220, 330, 440, 550])
    ingest_folder(tmp_path, "reference")
    together = threading.Barrier(2, timeout=30)

    def run() -> AnalyseResult:
        together.wait()
        return analyse(batch_tracks=2)

    with ThreadPoolExecutor(2) as pool:
        results = [run.result(timeout=60) for run in [pool.submit(run), pool.submit(run)]]

    assert sum(result.measured for result in results) >= 4
    assert len(melodies(fresh_database)) == 4
