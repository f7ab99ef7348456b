"""Analyse: the stored melodies and features, and the failures in the failure ledger."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import soundfile
from sqlalchemy import text

from mirpipe import audio
from mirpipe.db.store import failure_ledger
from mirpipe.errors import RejectedInput
from mirpipe.music import features
from mirpipe.music.features import melody_pitch_classes
from mirpipe.music.features.pitch_class_packing import unpack_pitch_classes
from mirpipe.music.metrics import aligned_melody
from mirpipe.stages import analyse as stage
from mirpipe.stages.analyse import AnalyseResult, analyse
from tests.support import synthetic_music
from tests.support.audio_files import ingest_folder, tone, tones
from tests.support.databases import Database


def rows(database: Database, sql: str, **parameters: object) -> list[tuple]:
    with database.reader.connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql), parameters)]


def melodies(database: Database) -> dict[str, tuple]:
    """Return the melody columns of each track, by title.

    The columns are frames, pitch classes, voiced fraction, voiced and reason.
    """
    stored = rows(
        database,
        "SELECT title, frames, pitch_classes, voiced_fraction, voiced, m.reason "
        "FROM mirpipe.melody m JOIN mirpipe.track USING (track_id)",
    )
    return {
        title: (frames, classes and bytes(classes), *rest)
        for title, frames, classes, *rest in stored
    }


def ledger(database: Database) -> list[tuple]:
    return rows(
        database,
        "SELECT title, stage, reason, retry, attempts, subject FROM mirpipe.v_failure "
        "ORDER BY title",
    )


def break_reading(monkeypatch: pytest.MonkeyPatch, name: str, problem: Exception | None) -> None:
    """Make the decoding of the file with this name raise `problem`. None makes it work again."""
    load_sounding = audio.load_sounding

    def load(path: Path, *arguments: object, **options: object) -> np.ndarray:
        if problem is not None and path.name == name:
            raise problem
        return load_sounding(path, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(stage.audio, "load_sounding", load)


def test_the_pitch_classes_of_a_track_are_stored(fresh_database: Database, tmp_path: Path) -> None:
    path = tone(tmp_path / "a.wav", 440.0, seconds=3)
    ingest_folder(tmp_path, "reference")

    assert analyse() == AnalyseResult(measured=1, rejected=0, failed=0)

    expected = melody_pitch_classes.transcribe_melody(audio.load_mono(path, 44100))
    frames, classes, fraction, voiced, reason = melodies(fresh_database)["a"]
    assert (frames, reason) == (1 + 3 * 44100 // 256, None)
    np.testing.assert_array_equal(unpack_pitch_classes(classes, frames), expected.pitch_classes)
    assert set(unpack_pitch_classes(classes, frames)[5:-5]) == {9}
    assert (fraction, voiced) == (expected.voiced_fraction, True)


def test_a_second_run_decodes_nothing(
    fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tones(tmp_path, [220, 330, 440])
    ingest_folder(tmp_path, "reference")
    analyse(batch_tracks=2)
    monkeypatch.delattr(stage.audio, "load_sounding")

    assert analyse() == AnalyseResult(0, 0, 0)
    assert stage.plan() == []
    assert ledger(fresh_database) == []


def test_melody_and_features_come_from_one_decoding(
    fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tone(tmp_path / "a.wav", 440.0, seconds=3)
    ingest_folder(tmp_path, "reference")
    load_sounding, read = audio.load_sounding, []
    monkeypatch.setattr(
        stage.audio, "load_sounding", lambda *a, **o: (read.append(a[0]), load_sounding(*a, **o))[1]
    )
    transcribe, transcribed = melody_pitch_classes.transcribe_melody, []
    monkeypatch.setattr(
        melody_pitch_classes,
        "transcribe_melody",
        lambda s: (transcribed.append(len(s)), transcribe(s))[1],
    )

    analyse()

    assert (len(read), transcribed) == (1, [3 * 44100])
    measured = features.to_row(features.measure(audio.load_mono(path, 44100)))
    ((fraction, notes),) = rows(
        fresh_database, "SELECT voiced_fraction, notes FROM mirpipe.track_feature"
    )
    assert (fraction, bytes(notes)) == (measured["voiced_fraction"], measured["notes"])
    assert len(melodies(fresh_database)) == 1


def test_the_melody_is_stored_if_the_features_fail(
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


def test_only_the_given_tracks_are_measured(fresh_database: Database, tmp_path: Path) -> None:
    tones(tmp_path, [220, 330, 440])
    ingest_folder(tmp_path, "reference")
    first, second, third = stage.plan()

    assert analyse([third]).measured == 1
    assert stage.plan() == [first, second]
    assert stage.plan("target") == []
    assert analyse([first, second, third, 999]).measured == 2


def test_progress_counts_up_to_the_number_of_pending_tracks(
    fresh_database: Database, tmp_path: Path
) -> None:
    tones(tmp_path, [220, 330, 440])
    ingest_folder(tmp_path, "reference")
    seen: list[tuple[int, int]] = []

    analyse(batch_tracks=2, progress=lambda done, total: seen.append((done, total)))

    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_a_track_that_is_too_long_is_stored_with_its_reason_and_never_read_again(
    fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(melody_pitch_classes, "LONGEST_SECONDS", 3)
    tone(tmp_path / "long.wav", 440, seconds=5)
    tone(tmp_path / "short.wav", 440, seconds=3)
    ingest_folder(tmp_path, "reference")

    assert analyse() == AnalyseResult(measured=2, rejected=0, failed=0)

    assert melodies(fresh_database)["long"] == (None, None, None, None, "longer_than_3_s")
    assert analyse() == AnalyseResult(0, 0, 0)


def test_only_one_extra_second_of_a_track_that_is_too_long_is_decoded(
    fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(melody_pitch_classes, "LONGEST_SECONDS", 1)
    tone(tmp_path / "long.wav", 440, seconds=20)
    ingest_folder(tmp_path, "reference")
    lengths = []
    transcribe = melody_pitch_classes.transcribe_melody
    monkeypatch.setattr(
        melody_pitch_classes,
        "transcribe_melody",
        lambda s: (lengths.append(len(s)), transcribe(s))[1],
    )

    analyse()

    assert lengths == [2 * 44100]


def test_a_failure_is_recorded_and_the_rest_of_the_batch_is_measured(
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


def test_a_failure_leaves_the_ledger_after_a_success(
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


def test_rejected_input_is_not_tried_again(
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


def test_a_track_that_needs_ffmpeg_is_tried_again(
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


def test_a_batch_that_cannot_be_written_keeps_the_earlier_batches(
    fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tones(tmp_path, [220, 330, 440])
    ingest_folder(tmp_path, "reference")
    calls = []

    def clear(*_: object, **options: object) -> None:
        calls.append(options)
        if len(calls) == 2:
            raise RuntimeError("server went away")

    with monkeypatch.context() as patch:
        patch.setattr(failure_ledger, "clear", clear)
        with pytest.raises(RuntimeError, match="went away"):
            analyse(batch_tracks=2)

    assert len(melodies(fresh_database)) == 2
    assert analyse(batch_tracks=2).measured == 1


def test_two_runs_at_the_same_time_measure_every_track(
    fresh_database: Database, tmp_path: Path
) -> None:
    tones(tmp_path, [220, 330, 440, 550])
    ingest_folder(tmp_path, "reference")
    both_started = threading.Barrier(2, timeout=30)

    def run() -> AnalyseResult:
        both_started.wait()
        return analyse(batch_tracks=2)

    with ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(run), pool.submit(run)]
        results = [future.result(timeout=60) for future in futures]

    assert sum(result.measured for result in results) >= 4
    assert len(melodies(fresh_database)) == 4


def test_silence_changes_only_the_times(fresh_database: Database, tmp_path: Path) -> None:
    rate, seconds = 44_100, 20
    music = synthetic_music.melody(seconds, rate)
    zeros = np.zeros(30 * rate, np.float32)
    soundfile.write(tmp_path / "plain.wav", music, rate, subtype="FLOAT")
    padded = np.concatenate([zeros, music, zeros, zeros])
    soundfile.write(tmp_path / "padded.wav", padded, rate, subtype="FLOAT")
    ingest_folder(tmp_path, "reference")
    assert analyse() == AnalyseResult(measured=2, rejected=0, failed=0)

    stored = melodies(fresh_database)
    (plain_frames, plain, *plain_rest), (frames, moved, *rest) = stored["plain"], stored["padded"]
    assert rest[0] == pytest.approx(plain_rest[0], abs=0.01)
    assert rest[1:] == plain_rest[1:]
    first = round(30 * rate / melody_pitch_classes.HOP_SAMPLES)
    classes = unpack_pitch_classes(moved, frames)
    sounding = classes[first : first + plain_frames]
    assert np.mean(sounding == unpack_pitch_classes(plain, plain_frames)) > 0.97
    assert set(classes[: first - 1]) == {melody_pitch_classes.SILENT_FRAME}

    columns = (
        "tempo_bpm, key, onsets_per_second, brightness_hz, voiced_fraction, beat_seconds, notes"
    )
    (expected, found) = rows(
        fresh_database,
        f"SELECT {columns} FROM mirpipe.track_feature JOIN mirpipe.track USING (track_id) "
        "ORDER BY title DESC",
    )
    assert found[1] == expected[1]
    assert found[0] == pytest.approx(expected[0], rel=1e-3)
    assert found[2:5] == pytest.approx(expected[2:5], rel=0.02)
    assert found[5] == pytest.approx(np.add(expected[5], 30.0), abs=0.03)
    before, after = (features.unpack_notes(bytes(row[6])) for row in (expected, found))
    assert len(before) > 40
    score = aligned_melody.similarity(before, after)
    assert score.value is not None
    assert score.value > 0.95


def test_sound_after_much_silence_is_measured(
    fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(melody_pitch_classes, "LONGEST_SECONDS", 5)
    path = tone(tmp_path / "a.wav", 440.0, seconds=3)
    samples, rate = soundfile.read(path)
    soundfile.write(path, np.concatenate([np.zeros(20 * rate), samples]), rate)
    ingest_folder(tmp_path, "reference")
    analyse()
    frames, classes, _, voiced, reason = melodies(fresh_database)["a"]
    assert (voiced, reason) == (True, None)
    assert set(unpack_pitch_classes(classes, frames)[-200:-5]) == {9}
