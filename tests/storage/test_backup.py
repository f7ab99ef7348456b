"""Backups and clips in a bucket: a restored backup has the same content."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mirpipe.cli.main import app
from mirpipe.db.migrate import downgrade
from mirpipe.db.store.content_digest import combined, digests
from mirpipe.errors import ConfigurationError, StorageUnavailable
from mirpipe.files.addresses import S3Address
from mirpipe.generation import clip_store
from mirpipe.operations.backup import back_up, restore
from mirpipe.settings import settings
from mirpipe.storage import buckets
from tests.dashboard.example_library import Model, Piece, fill, track
from tests.support.databases import Database
from tests.support.s3_server import Bucket, Fault, Request
from tests.support.synthetic_music import melody

PIECES = (
    Piece("target", "茉莉花 🎵", labels={"genre": "folk"}),
    *(Piece("reference", f"r{n}", Path(f"/nowhere/r{n}.ogg")) for n in range(3)),
)


@pytest.fixture
def filled(
    fresh_database: Database, bucket: Bucket, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Database:
    """Create a library with matches, and two clips whose audio is in the bucket."""
    monkeypatch.setenv("MIRPIPE_CLIPS_DIR", f"{bucket.url}/clips")
    settings.cache_clear()
    with fresh_database.owner.begin() as owner:
        fill(owner, PIECES, (Model("one", 0.5, 0.1), Model("other", 0.4, 0.2)))
        for seed in (1, 2):
            clip = clip_store.store_clip(melody(0.5, 8000, seed=seed), 8000)
            track(owner, Piece("generated", f"seed {seed}", clip.path), clip.content_sha256)
    return fresh_database


def digest(database: Database) -> str:
    with database.reader.connect() as connection:
        return combined(digests(connection))


def contents(bucket: Bucket, prefix: str) -> dict[str, bytes]:
    return {key: bucket.read(key) for key in bucket.list_keys() if key.startswith(f"{prefix}/")}


def test_a_restored_backup_has_the_same_content(filled: Database, bucket: Bucket) -> None:
    place = S3Address(bucket.name, "backups/first")
    before, sound = digest(filled), contents(bucket, "clips")
    backup = back_up(place)
    assert (backup.digest, backup.clips, backup.missing_clips) == (before, 2, [])
    assert backup.bytes == sum(map(len, contents(bucket, "backups/first").values()))
    downgrade("base")
    for key in sound:
        bucket.delete(key)
    restored = restore(place)
    assert (restored.digest, restored.clips, restored.is_compared) == (before, 2, True)
    assert digest(filled) == before
    assert contents(bucket, "clips") == sound
    assert list(settings().home.glob("*backup-*")) == list(settings().home.glob("*restore-*")) == []


def test_a_backup_moves_between_folders_and_buckets(
    filled: Database, bucket: Bucket, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = digest(filled)
    result = CliRunner().invoke(app, ["backup", f"{bucket.url}/first", "--json"])
    assert json.loads(result.stdout)["folder"] == f"{bucket.url}/first"
    monkeypatch.setenv("MIRPIPE_CLIPS_DIR", str(tmp_path / "clips"))
    settings.cache_clear()
    downgrade("base")
    result = CliRunner().invoke(app, ["restore", f"{bucket.url}/first", "--json"])
    assert json.loads(result.stdout)["digest"] == before
    assert len(list((tmp_path / "clips").rglob("*.flac"))) == 2
    back_up(tmp_path / "second")
    monkeypatch.setenv("MIRPIPE_CLIPS_DIR", f"{bucket.url}/other-clips")
    settings.cache_clear()
    downgrade("base")
    assert restore(tmp_path / "second").digest == before
    assert len(contents(bucket, "other-clips")) == 2


def test_a_backup_that_stops_is_not_complete_and_is_replaced(
    filled: Database, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = S3Address(bucket.name, "backup")

    def spoil(request: Request) -> Fault | None:
        is_clip = request.method == "PUT" and request.key.startswith("backup/clips/")
        return Fault(503, "SlowDown") if is_clip else None

    bucket.proxy.spoil = spoil
    with pytest.raises(StorageUnavailable):
        back_up(place)
    assert all(key.startswith("backup/database/") for key in contents(bucket, "backup"))
    assert "backup/database/toc.dat" in contents(bucket, "backup")
    bucket.proxy.spoil = lambda _request: None
    monkeypatch.setattr(buckets, "OUTAGE_SECONDS", 0)
    with pytest.raises(ConfigurationError, match=f"^{place} is not a complete backup"):
        restore(place, replace=True)
    bucket.put("backup/clips/ab/abandoned.flac", b"")
    back_up(place)
    assert restore(place, replace=True).clips == 2


def test_nothing_else_in_the_bucket_is_overwritten(filled: Database, bucket: Bucket) -> None:
    before = contents(bucket, "clips")
    # The clips have the names that they would have in a backup.
    with pytest.raises(ConfigurationError, match="already exists: name a new folder"):
        back_up(S3Address(bucket.name, ""))
    bucket.put("mine/notes.txt", b"mine")
    back_up(S3Address(bucket.name, "complete"))
    for folder in ("mine", "complete", "clips"):
        with pytest.raises(ConfigurationError, match="already exists: name a new folder"):
            back_up(S3Address(bucket.name, folder))
    assert contents(bucket, "clips") == before
    assert bucket.read("mine/notes.txt") == b"mine"


def test_a_damaged_backup_is_refused_by_its_address(filled: Database, bucket: Bucket) -> None:
    back_up(S3Address(bucket.name, "backup"))
    before = digest(filled)
    contents_file = f"{bucket.url}/backup/database/toc.dat"
    bucket.put("backup/database/toc.dat", b"damaged")
    with pytest.raises(ConfigurationError, match=f"^{contents_file} is damaged"):
        restore(S3Address(bucket.name, "backup"), replace=True)
    bucket.delete("backup/database/toc.dat")
    with pytest.raises(ConfigurationError, match=f"^{contents_file} is missing"):
        restore(S3Address(bucket.name, "backup"), replace=True)
    assert digest(filled) == before


def test_a_manifest_cannot_name_files_outside_the_backup(filled: Database, bucket: Bucket) -> None:
    back_up(S3Address(bucket.name, "backup"))
    fields = json.loads(bucket.read("backup/manifest.json"))
    fields["files"]["../outside"] = "00" * 32
    bucket.put("backup/manifest.json", json.dumps(fields).encode())
    bucket.put("outside", b"secret")
    with pytest.raises(ConfigurationError, match="is not a file of a backup"):
        restore(S3Address(bucket.name, "backup"), replace=True)
    assert not any(request.key == "outside" for request in bucket.proxy.requests)
