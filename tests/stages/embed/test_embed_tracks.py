"""Embed stores vectors, keeps existing ones, and records failures."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from sqlalchemy import text

from mirpipe import registry
from mirpipe.errors import RejectedInput
from mirpipe.stages import embed as stage
from tests.support.audio_files import ingest_folder, tone, tones
from tests.support.databases import Database

pytestmark = pytest.mark.usefixtures("_tiny_encoder")


def embed(**options: object) -> stage.EmbedResult:
    return stage.embed(["tiny"], batch_tracks=2, **options)  # type: ignore[arg-type]


def vectors(database: Database) -> dict[str, np.ndarray]:
    with database.reader.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT title, CAST(embedding AS text) AS vector "
                "FROM mirpipe.embedding JOIN mirpipe.track USING (track_id)"
            )
        )
        return {row.title: np.fromstring(row.vector[1:-1], sep=",") for row in rows}


def ledger(database: Database) -> list[tuple[str, str, bool, int]]:
    with database.reader.connect() as connection:
        rows = connection.execute(
            text("SELECT title, reason, retry, attempts FROM mirpipe.v_failure WHERE stage='embed'")
        )
        return [tuple(row) for row in rows]


def test_vector_is_the_length_weighted_mean_of_windows_with_unit_norm(
    fresh_database: Database, tmp_path: Path
) -> None:
    path = tone(tmp_path / "a.wav", 440, seconds=2.75)
    ingest_folder(tmp_path, "reference")

    assert embed() == stage.EmbedResult(embedded=1, rejected=0, failed=0)

    samples, _ = soundfile.read(path, dtype="float32")
    windows = [samples[:8000], samples[8000:16000], samples[16000:]]
    rows = [(w.std(), np.abs(np.diff(w)).mean(), 1.0) for w in windows]
    expected = np.average(rows, axis=0, weights=[len(w) for w in windows])
    expected /= np.linalg.norm(expected)
    np.testing.assert_allclose(vectors(fresh_database)["a"], expected, rtol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(vectors(fresh_database)["a"]), 1, rtol=1e-6)


def test_second_run_embeds_nothing(fresh_database: Database, tmp_path: Path) -> None:
    tones(tmp_path, [220, 330, 440])
    ingest_folder(tmp_path, "reference")
    assert embed().embedded == 3
    assert embed() == stage.EmbedResult(embedded=0, rejected=0, failed=0)
    assert stage.plan(["tiny"], batch_tracks=2) == []


def test_vectors_are_bit_identical_whether_tracks_are_embedded_together_or_alone(
    fresh_database: Database, tmp_path: Path
) -> None:
    tones(tmp_path, [220, 330, 440])
    ingest_folder(tmp_path, "reference")
    embed()
    together = vectors(fresh_database)
    with fresh_database.app.begin() as connection:
        connection.execute(text("DELETE FROM mirpipe.embedding"))
        ids = list(connection.execute(text("SELECT track_id FROM mirpipe.track")).scalars())
    for track_id in reversed(ids):
        embed(track_ids=[track_id])
    alone = vectors(fresh_database)
    assert together.keys() == alone.keys()
    assert all((together[title] == alone[title]).all() for title in together)


def test_a_failing_track_does_not_stop_the_others_and_is_tried_again(
    fresh_database: Database, tmp_path: Path
) -> None:
    tones(tmp_path, [220, 330])
    tone(tmp_path / "loud.wav", 300, level=0.99)
    ingest_folder(tmp_path, "reference")

    assert embed() == stage.EmbedResult(embedded=2, rejected=0, failed=1)
    assert ledger(fresh_database) == [("loud", "RuntimeError", True, 1)]
    assert embed().failed == 1
    assert ledger(fresh_database) == [("loud", "RuntimeError", True, 2)]


def test_success_deletes_the_failure_of_the_track(
    fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tone(tmp_path / "loud.wav", 300, level=0.99)
    ingest_folder(tmp_path, "reference")
    embed()
    import mirpipe.plugins.encoders.tiny as tiny  # type: ignore[import-not-found]

    monkeypatch.setattr(tiny, "FAILS_ABOVE", 2)
    assert embed().embedded == 1
    assert ledger(fresh_database) == []


def test_file_that_changed_since_ingest_is_not_embedded_under_its_old_identity(
    fresh_database: Database, tmp_path: Path
) -> None:
    path = tone(tmp_path / "a.wav", 440)
    ingest_folder(tmp_path, "reference")
    tone(path, 441)
    assert embed().failed == 1
    assert ledger(fresh_database) == [("a", "ContentChanged", True, 1)]
    assert vectors(fresh_database) == {}


def test_vector_of_zeros_is_rejected_and_not_tried_again(
    fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mirpipe.plugins.encoders.tiny as tiny

    tone(tmp_path / "a.wav", 440)
    ingest_folder(tmp_path, "reference")
    monkeypatch.setattr(
        tiny.Plugin, "embed", lambda _, segments: np.zeros((len(segments), 3), dtype=np.float32)
    )
    assert embed() == stage.EmbedResult(embedded=0, rejected=1, failed=0)
    assert ledger(fresh_database) == [("a", "zero_vector", False, 1)]
    assert embed() == stage.EmbedResult(embedded=0, rejected=0, failed=0)


def test_a_rejection_that_depends_on_the_machine_is_tried_again(
    fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def needs_ffmpeg(*_: object, **__: object) -> None:
        raise RejectedInput("needs_ffmpeg", "this worker has no ffmpeg")

    tone(tmp_path / "a.wav", 440)
    ingest_folder(tmp_path, "reference")
    with monkeypatch.context() as patch:
        patch.setattr("mirpipe.audio.read_windows", needs_ffmpeg)
        embed()
    assert ledger(fresh_database) == [("a", "needs_ffmpeg", True, 1)]
    assert embed().embedded == 1


def test_a_new_revision_embeds_all_tracks_and_old_vectors_stay(
    fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import dataclasses

    import mirpipe.plugins.encoders.tiny as tiny

    tones(tmp_path, [220, 330])
    ingest_folder(tmp_path, "reference")
    embed()
    changed = dataclasses.replace(tiny.SPEC, gain_dbfs=-20.0)
    assert registry.revision(changed) != registry.revision(tiny.SPEC)
    monkeypatch.setattr(tiny, "SPEC", changed)
    assert embed().embedded == 2
    with fresh_database.reader.connect() as connection:
        count = connection.execute(text("SELECT count(*) FROM mirpipe.embedding")).scalar_one()
    assert count == 4


def test_a_plan_has_batches_only_for_configured_encoders(
    fresh_database: Database, tmp_path: Path
) -> None:
    tones(tmp_path, [220, 330, 440])
    ingest_folder(tmp_path, "reference")
    batches = stage.plan(["tiny"], batch_tracks=2)
    assert [(b.encoders, len(b.track_ids)) for b in batches] == [(("tiny",), 2), (("tiny",), 1)]
    assert stage.plan([], batch_tracks=2) == []
    with fresh_database.reader.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM mirpipe.v_pending")).scalar_one() == 0
