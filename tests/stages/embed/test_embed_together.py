"""Several encoders over the same tracks: one decoding, and no encoder suffers from another."""

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
    """A library of three tracks of different lengths."""
    for number, hertz in enumerate([220, 330, 440]):
        tone(tmp_path / f"{hertz} Hz.wav", hertz, seconds=1.5 + number)
    ingest_folder(tmp_path, "reference")
    return tmp_path


@pytest.fixture
def decodings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Of each decoding, how many encoders it served."""
    served: list[int] = []
    windows = audio.windows

    def counted(
        path: Path, requests: Sequence[audio.WindowRequest]
    ) -> Iterator[tuple[int, AudioSegment]]:
        served.append(len(requests))
        return windows(path, requests)

    monkeypatch.setattr("mirpipe.audio.windows", counted)
    return served


def embed(*encoders: str, **options: Any) -> stage.EmbedResult:
    return stage.embed(encoders or BOTH, **({"batch_tracks": 2} | options))


def vectors(database: Database) -> dict[tuple[str, str], str]:
    """By encoder and title, the vector's digits."""
    with database.reader.connect() as connection:
        found = connection.execute(
            text(
                "SELECT e.name, t.title, CAST(v.embedding AS text) AS digits "
                "FROM mirpipe.embedding v JOIN mirpipe.track t USING (track_id) "
                "JOIN mirpipe.encoder e USING (encoder_id)"
            )
        )
        return {(row.name, row.title): row.digits for row in found}


def ledger(database: Database) -> list[tuple[str, str]]:
    with database.reader.connect() as connection:
        found = connection.execute(
            text("SELECT coalesce(title, subject), reason FROM mirpipe.v_failure ORDER BY 1, 2")
        )
        return [tuple(row) for row in found]


def forget(database: Database) -> None:
    with database.app.begin() as connection:
        connection.execute(text("DELETE FROM mirpipe.embedding"))


def test_a_track_is_decoded_once_for_all_and_has_the_bytes_that_it_has_alone(
    fresh_database: Database, music: Path, decodings: list[int]
) -> None:
    assert embed() == stage.EmbedResult(embedded=6)
    assert decodings == [2, 2, 2]
    together = vectors(fresh_database)
    forget(fresh_database)
    for name in BOTH:
        embed(name, batch_tracks=1)
    assert vectors(fresh_database) == together
    assert len(together) == 6


def test_what_one_of_them_has_is_not_made_again(
    fresh_database: Database, music: Path, decodings: list[int]
) -> None:
    embed("tiny")
    decodings.clear()
    tones(music, [550])
    ingest_folder(music, "reference")
    assert embed() == stage.EmbedResult(embedded=5)
    assert sorted(decodings) == [1, 1, 1, 2]
    assert embed() == stage.EmbedResult()


def test_a_plan_has_those_share_a_batch_that_lack_the_same_tracks(
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
    assert planned(tasks=4) == planned()  # one encoder's few tracks are worth one process
    tones(music, [550])
    ingest_folder(music, "reference")
    assert planned() == [(("mixing",), 3), (("tiny", "mixing"), 1)]


@pytest.mark.parametrize("broken", BOTH)
@pytest.mark.parametrize("fault", ["raises", "not finite", "too few rows", "will not load"])
def test_an_encoder_that_fails_stops_no_other(
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
        raise RuntimeError("the model fell over")

    module = {"tiny": tiny, "mixing": mixing}[broken]
    (works,) = {*BOTH} - {broken}
    method = "__init__" if fault == "will not load" else "embed"
    with monkeypatch.context() as patch:
        patch.setattr(module.Plugin, method, fails)
        assert embed() == stage.EmbedResult(embedded=3, failed=3)
    assert {name for name, _ in vectors(fresh_database)} == {works}
    failed = ledger(fresh_database)
    if fault == "will not load":
        assert failed == [(f"encoder:{broken}", "RuntimeError")]
    else:
        assert [title for title, _ in failed] == ["220 Hz", "330 Hz", "440 Hz"]
    assert stage.plan(BOTH, batch_tracks=9)[0].encoders == (broken,)
    assert embed() == stage.EmbedResult(embedded=3)
    assert ledger(fresh_database) == []


def test_the_track_at_fault_is_found_among_those_that_were_called_together(
    fresh_database: Database, music: Path
) -> None:
    tone(music / "loud.wav", 300, level=0.99)
    ingest_folder(music, "reference")
    assert embed("mixing", batch_tracks=9) == stage.EmbedResult(embedded=3, failed=1)
    assert ledger(fresh_database) == [("loud", "RuntimeError")]
    amid = vectors(fresh_database)
    forget(fresh_database)
    embed("mixing", batch_tracks=1)
    assert vectors(fresh_database) == amid


def test_windows_of_several_tracks_share_a_call_where_rows_stand_alone_and_nowhere_else(
    music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: dict[str, list[int]] = {name: [] for name in BOTH}
    for name in BOTH:
        plugin = __import__(f"mirpipe.plugins.encoders.{name}", fromlist=["Plugin"]).Plugin
        embed_clips = plugin.embed

        def counted(
            self: Any,
            segments: Sequence[AudioSegment],
            name: str = name,
            embed_clips: Any = embed_clips,
        ) -> Float32:
            calls[name].append(len(segments))
            rows: Float32 = embed_clips(self, segments)
            return rows

        monkeypatch.setattr(plugin, "embed", counted)
    embed(batch_tracks=9)
    assert {name: sorted(sizes) for name, sizes in calls.items()} == {
        "tiny": [2, 3, 4],
        "mixing": [3 + 5 + 7],
    }


def test_broken_off_between_two_encoders_it_ends_with_the_same_vectors(
    fresh_database: Database, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embed()
    undisturbed = vectors(fresh_database)
    forget(fresh_database)
    write = embeddings.write
    writes: list[int] = []

    def fourth_breaks(*arguments: Any, **options: Any) -> None:
        writes.append(1)
        if len(writes) == 4:
            raise KeyboardInterrupt
        write(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(embeddings, "write", fourth_breaks)
        with pytest.raises(KeyboardInterrupt):
            embed()
    assert 0 < len(vectors(fresh_database)) < 6
    embed()
    assert vectors(fresh_database) == undisturbed


def test_memory_is_as_flat_at_ten_minutes_as_at_one(
    fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embed_tracks, "AHEAD_BYTES", 2**20)
    peaks = []
    for minutes in (1, 10):
        tone(tmp_path / f"{minutes}.wav", 300 + minutes, seconds=60 * minutes)
        ingest_folder(tmp_path, "reference")
        tracemalloc.start()
        assert embed() == stage.EmbedResult(embedded=2)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0] + 2**21
