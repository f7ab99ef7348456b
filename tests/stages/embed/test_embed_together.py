"""Several encoders share the decoding of the same tracks, and fail independently."""

import tracemalloc
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text

from mirpipe import audio
from mirpipe.db.store import embeddings
from mirpipe.records import AudioSegment, Float32
from mirpipe.stages import embed as stage
from mirpipe.stages.embed import embed_tracks
from tests.support.audio_files import ingest_folder, tone, tones
from tests.support.databases import Database

pytestmark = pytest.mark.usefixtures("_tiny_encoder")

BOTH = ["tiny", "mixing"]


@pytest.fixture
def music(fresh_database: Database, tmp_path: Path) -> Path:
    """A library with three tracks of different lengths."""
    for number, hertz in enumerate([220, 330, 440]):
        tone(tmp_path / f"{hertz} Hz.wav", hertz, seconds=1.5 + number)
    ingest_folder(tmp_path, "reference")
    return tmp_path


@pytest.fixture
def decodings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of encoders that share each decoding. The list grows during the test."""
    encoders: list[int] = []
    windows = audio.read_windows

    def counted(
        path: Path, requests: Sequence[audio.WindowRequest], **options: Any
    ) -> Iterator[tuple[int, AudioSegment]]:
        encoders.append(len(requests))
        return windows(path, requests, **options)

    monkeypatch.setattr("mirpipe.audio.read_windows", counted)
    return encoders


def embed(*encoders: str, **options: Any) -> stage.EmbedResult:
    return stage.embed(encoders or BOTH, **({"batch_tracks": 2} | options))


def vectors(database: Database) -> dict[tuple[str, str], str]:
    """Return the vectors as strings, by encoder and title."""
    with database.reader.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT e.name, t.title, CAST(v.embedding AS text) AS digits "
                "FROM mirpipe.embedding v JOIN mirpipe.track t USING (track_id) "
                "JOIN mirpipe.encoder e USING (encoder_id)"
            )
        )
        return {(row.name, row.title): row.digits for row in rows}


def ledger(database: Database) -> list[tuple[str, str]]:
    with database.reader.connect() as connection:
        rows = connection.execute(
            text("SELECT coalesce(title, subject), reason FROM mirpipe.v_failure ORDER BY 1, 2")
        )
        return [tuple(row) for row in rows]


def delete_vectors(database: Database) -> None:
    with database.app.begin() as connection:
        connection.execute(text("DELETE FROM mirpipe.embedding"))


def test_a_track_is_decoded_once_for_all_encoders_and_vectors_stay_the_same(
    fresh_database: Database, music: Path, decodings: list[int]
) -> None:
    assert embed() == stage.EmbedResult(embedded=6)
    assert decodings == [2, 2, 2]
    together = vectors(fresh_database)
    delete_vectors(fresh_database)
    for name in BOTH:
        embed(name, batch_tracks=1)
    assert vectors(fresh_database) == together
    assert len(together) == 6


def test_an_existing_vector_of_one_encoder_is_not_computed_again(
    fresh_database: Database, music: Path, decodings: list[int]
) -> None:
    embed("tiny")
    decodings.clear()
    tones(music, [550])
    ingest_folder(music, "reference")
    assert embed() == stage.EmbedResult(embedded=5)
    assert sorted(decodings) == [1, 1, 1, 2]
    assert embed() == stage.EmbedResult()


def test_encoders_with_the_same_pending_tracks_share_a_batch(
    fresh_database: Database, music: Path
) -> None:
    def planned(**options: int) -> list[tuple[tuple[str, ...], int]]:
        batches = stage.plan(BOTH, **({"batch_tracks": 9} | options))
        return [(batch.encoders, len(batch.track_ids)) for batch in batches]

    assert planned() == [(("tiny", "mixing"), 3)]
    assert planned(batch_tracks=2) == [(("tiny", "mixing"), 2), (("tiny", "mixing"), 1)]
    assert planned(tasks=4) == planned(batch_tracks=2)
    embed("tiny")
    assert planned() == [(("mixing",), 3)]
    assert planned(tasks=4) == planned()  # The tracks of a single encoder are not divided.
    tones(music, [550])
    ingest_folder(music, "reference")
    assert planned() == [(("mixing",), 3), (("tiny", "mixing"), 1)]


@pytest.mark.parametrize("broken", BOTH)
@pytest.mark.parametrize("fault", ["raises", "not finite", "too few rows", "cannot be loaded"])
def test_an_encoder_that_fails_does_not_stop_the_others(
    fresh_database: Database,
    music: Path,
    monkeypatch: pytest.MonkeyPatch,
    broken: str,
    fault: str,
) -> None:
    import mirpipe.plugins.encoders.mixing as mixing  # type: ignore[import-not-found]
    import mirpipe.plugins.encoders.tiny as tiny  # type: ignore[import-not-found]

    def fails(self: Any, segments: Sequence[AudioSegment] = ()) -> Float32:
        if fault == "not finite":
            return np.full((len(segments), module.SPEC.dimension), np.nan, np.float32)
        if fault == "too few rows":
            return np.zeros((0, module.SPEC.dimension), np.float32)
        raise RuntimeError("the model failed")

    module = {"tiny": tiny, "mixing": mixing}[broken]
    (works,) = {*BOTH} - {broken}
    method = "__init__" if fault == "cannot be loaded" else "embed"
    with monkeypatch.context() as patch:
        patch.setattr(module.Plugin, method, fails)
        assert embed() == stage.EmbedResult(embedded=3, failed=3)
    assert {name for name, _ in vectors(fresh_database)} == {works}
    failed = ledger(fresh_database)
    if fault == "cannot be loaded":
        assert failed == [(f"encoder:{broken}", "RuntimeError")]
    else:
        assert [title for title, _ in failed] == ["220 Hz", "330 Hz", "440 Hz"]
    assert stage.plan(BOTH, batch_tracks=9)[0].encoders == (broken,)
    assert embed() == stage.EmbedResult(embedded=3)
    assert ledger(fresh_database) == []


def test_only_the_track_that_causes_an_error_fails_when_tracks_share_a_call(
    fresh_database: Database, music: Path
) -> None:
    tone(music / "loud.wav", 300, level=0.99)
    ingest_folder(music, "reference")
    assert embed("mixing", batch_tracks=9) == stage.EmbedResult(embedded=3, failed=1)
    assert ledger(fresh_database) == [("loud", "RuntimeError")]
    in_shared_calls = vectors(fresh_database)
    delete_vectors(fresh_database)
    embed("mixing", batch_tracks=1)
    assert vectors(fresh_database) == in_shared_calls


def test_windows_of_several_tracks_share_a_call_only_if_rows_are_independent(
    music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: dict[str, list[int]] = {name: [] for name in BOTH}
    for name in BOTH:
        plugin = __import__(f"mirpipe.plugins.encoders.{name}", fromlist=["Plugin"]).Plugin
        original_embed = plugin.embed

        def counted(
            self: Any,
            segments: Sequence[AudioSegment],
            name: str = name,
            original_embed: Any = original_embed,
        ) -> Float32:
            calls[name].append(len(segments))
            rows: Float32 = original_embed(self, segments)
            return rows

        monkeypatch.setattr(plugin, "embed", counted)
    embed(batch_tracks=9)
    assert {name: sorted(sizes) for name, sizes in calls.items()} == {
        "tiny": [2, 3, 4],
        "mixing": [3 + 5 + 7],
    }


def test_a_run_interrupted_between_two_encoders_ends_with_the_same_vectors(
    fresh_database: Database, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embed()
    undisturbed = vectors(fresh_database)
    delete_vectors(fresh_database)
    write = embeddings.write
    writes: list[int] = []

    def interrupt_fourth(*arguments: Any, **options: Any) -> None:
        writes.append(1)
        if len(writes) == 4:
            raise KeyboardInterrupt
        write(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(embeddings, "write", interrupt_fourth)
        with pytest.raises(KeyboardInterrupt):
            embed()
    assert 0 < len(vectors(fresh_database)) < 6
    embed()
    assert vectors(fresh_database) == undisturbed


def test_memory_does_not_grow_with_the_length_of_a_track(
    fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embed_tracks, "READ_AHEAD_BYTES", 2**20)
    peaks = []
    for minutes in (1, 10):
        tone(tmp_path / f"{minutes}.wav", 300 + minutes, seconds=60 * minutes)
        ingest_folder(tmp_path, "reference")
        tracemalloc.start()
        assert embed() == stage.EmbedResult(embedded=2)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0] + 2**21


def test_the_peak_memory_is_stored_if_one_encoder_is_alone(
    fresh_database: Database, music: Path
) -> None:
    query = """
        SELECT e.name, bool_and(b.peak_memory_bytes > 10000000) FROM mirpipe.embedding_batch b
        JOIN mirpipe.encoder e USING (encoder_id) GROUP BY 1 ORDER BY 1
    """
    embed()
    with fresh_database.owner.begin() as connection:
        assert connection.execute(text(query)).all() == [("mixing", None), ("tiny", None)]
        connection.execute(text("TRUNCATE mirpipe.embedding_batch CASCADE"))
    embed("tiny")
    with fresh_database.owner.begin() as connection:
        assert connection.execute(text(query)).all() == [("tiny", True)]
