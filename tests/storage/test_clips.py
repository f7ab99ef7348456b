"""Clips in a bucket: they are generated, analysed, checked by doctor and deleted by prune."""

from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text

from mirpipe.db.store.tracks import usable_tracks
from mirpipe.errors import StorageUnavailable
from mirpipe.generation.clip_store import store_clip
from mirpipe.library import content_hash
from mirpipe.operations import prune
from mirpipe.operations.doctor import files as doctor
from mirpipe.settings import settings
from mirpipe.stages import analyse, caption
from mirpipe.stages import generate as stage
from mirpipe.storage import buckets, stored_files
from tests.stages.ingest.tables import query
from tests.support.audio_files import ingest_folder, tones
from tests.support.databases import Database
from tests.support.fake_plugins import add_fakes
from tests.support.s3_server import Bucket, Fault


@pytest.fixture
def clips(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> str:
    """Configure a folder of the bucket for the clips, and return its address."""
    monkeypatch.setenv("MIRPIPE_CLIPS_DIR", f"{bucket.url}/clips")
    settings.cache_clear()
    return f"{bucket.url}/clips"


@pytest.fixture
def _captioned(
    fresh_database: Database, clips: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ingest and caption a local target."""
    add_fakes(monkeypatch, "captioners", "generators")
    monkeypatch.setenv("MIRPIPE_CAPTIONER", "echo")
    monkeypatch.setenv("MIRPIPE_GENERATORS", "beep")
    monkeypatch.setenv("BEEP_LOG", str(tmp_path / "log"))
    settings.cache_clear()
    tones(tmp_path / "targets", [300.0])
    ingest_folder(tmp_path / "targets", "target")
    analyse.analyse()
    caption.caption("echo")


def test_equal_samples_are_one_object(bucket: Bucket, clips: str) -> None:
    samples = np.linspace(-0.5, 0.5, 8000, dtype=np.float32)
    first, second = store_clip(samples, 8000), store_clip(samples, 8000)
    assert first == second
    name = f"{first.content_sha256.hex()}.flac"
    assert bucket.list_keys() == [f"clips/{name[:2]}/{name}"]
    assert str(first.path) == f"{clips}/{name[:2]}/{name}"
    assert len(bucket.read(f"clips/{name[:2]}/{name}")) == first.size


@pytest.mark.usefixtures("_captioned")
def test_clips_are_generated_into_the_bucket_and_analysed(
    fresh_database: Database, bucket: Bucket, clips: str
) -> None:
    assert stage.generate("beep") == stage.GenerateResult(made=3, rejected=0, failed=0)
    assert stage.generate("beep") == stage.GenerateResult(made=0, rejected=0, failed=0)
    rows = query(
        fresh_database,
        "SELECT path_text FROM mirpipe.track_file WHERE collection = 'generated' ORDER BY path",
    )
    assert [f"{bucket.url}/{key}" for key in bucket.list_keys()] == [row[0] for row in rows]
    assert analyse.analyse().measured == len(rows)


@pytest.mark.usefixtures("_captioned")
def test_a_damaged_copy_of_a_clip_is_downloaded_again(fresh_database: Database) -> None:
    stage.generate("beep")
    (track_id, *_), *_ = query(
        fresh_database, "SELECT track_id FROM mirpipe.track_file WHERE collection = 'generated'"
    )
    with fresh_database.app.connect() as connection:
        (track,) = usable_tracks(connection, [track_id])
    with content_hash.unchanged_copy(track) as path:
        content = path.read_bytes()
        path.write_bytes(b"damaged")
    with pytest.raises(content_hash.ContentChanged), content_hash.unchanged_copy(track):
        pytest.fail("the damage was not found")
    with content_hash.unchanged_copy(track) as path:
        assert path.read_bytes() == content


@pytest.mark.usefixtures("_captioned")
def test_without_the_bucket_generation_stops_and_continues_later(
    fresh_database: Database, bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.proxy.spoil = lambda _request: Fault(503, "SlowDown")
    with pytest.raises(StorageUnavailable, match="limits the rate"):
        stage.generate("beep")
    assert len((tmp_path / "log").read_text().splitlines()) == 1
    assert query(fresh_database, "SELECT * FROM mirpipe.generation") == []
    bucket.proxy.spoil = lambda _request: None
    monkeypatch.setattr(buckets, "OUTAGE_SECONDS", 0)
    assert stage.generate("beep").made == 3


@pytest.mark.usefixtures("_captioned")
def test_doctor_finds_missing_and_unknown_clips(
    fresh_database: Database, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.generate("beep")
    monkeypatch.setattr(doctor, "MIN_AGE_SECONDS", -1.0)
    assert {finding.level for finding in doctor.check()} == {"ok"}
    removed, *_ = bucket.list_keys()
    bucket.delete(removed)
    bucket.put("clips/un/unknown.flac", b"")
    missing, unknown = [each for each in doctor.check() if each.check == "clips"]
    assert missing.message.endswith(f"are missing: {removed.rpartition('/')[2]}")
    assert "unknown.flac" in unknown.message
    bucket.proxy.spoil = lambda _request: Fault(503, "SlowDown")
    (finding,) = doctor.check()
    assert (finding.check, finding.level) == ("storage", "problem")


@pytest.mark.usefixtures("_captioned")
def test_prune_deletes_the_objects_of_removed_clips(
    fresh_database: Database, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.generate("beep")
    removed, *kept = bucket.list_keys()
    with fresh_database.owner.begin() as connection:
        connection.execute(
            text("UPDATE mirpipe.track_file SET gone_at = now() WHERE path_text = :path"),
            {"path": f"{bucket.url}/{removed}"},
        )
    assert prune.prune(settings()).audio_files == 0
    monkeypatch.setattr(prune, "MIN_AUDIO_AGE_SECONDS", -1.0)
    bucket.proxy.requests.clear()
    assert prune.count_unneeded(settings()).audio_files == 1
    assert [request.is_list for request in bucket.proxy.requests] == [True]
    assert prune.prune(settings()).audio_files == 1
    assert bucket.list_keys() == kept


def test_a_local_clip_and_a_clip_in_a_bucket_are_found(
    bucket: Bucket, clips: str, tmp_path: Path
) -> None:
    stored = store_clip(np.zeros(8000, dtype=np.float32), 8000)
    (tmp_path / "local.flac").touch()
    missing = [tmp_path / "missing.flac", settings().clips_folder / "aa/missing.flac"]
    found = [tmp_path / "local.flac", stored.path]
    assert stored_files.missing_files([*found, *missing]) == missing
