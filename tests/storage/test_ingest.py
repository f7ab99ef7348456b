"""A library in a bucket: ingest, rescans, changes, and a bucket that is away."""

import json
import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mirpipe.cli.main import app
from mirpipe.errors import ConfigurationError, StorageUnavailable
from mirpipe.files.addresses import Address, S3Address, parse_address
from mirpipe.settings import settings
from mirpipe.stages.embed import embed
from mirpipe.stages.ingest import IngestResult, ingest
from mirpipe.storage import buckets
from mirpipe.storage.objects import list_objects
from tests.stages.ingest.tables import query, require_counts, states, tables
from tests.support import encoded_audio
from tests.support.databases import Database
from tests.support.s3_server import LARGE_BUCKET, Bucket, Fault, Request

STATES = {"one": "ok", "two": "ok", "three": "ok"}


def ingest_bucket(address: str, **options: object) -> IngestResult:
    return ingest([parse_address(address)], collection="reference", **options)  # type: ignore[arg-type]


def reads(bucket: Bucket) -> list[str]:
    """Return the keys of the objects that were read, sorted."""
    return sorted(request.key for request in bucket.proxy.requests if request.is_read)


def audio(seed: int) -> bytes:
    return encoded_audio.encode("FLAC", encoded_audio.music(seed=seed))


def test_tracks_are_those_of_the_same_files_in_a_folder(
    fresh_database: Database, bucket: Bucket, library: str, tmp_path: Path
) -> None:
    require_counts(ingest_bucket(library), seen=3, added=3)
    assert states(fresh_database) == STATES
    (in_bucket,) = tables(fresh_database, with_times=False)[:1]
    shown = query(fresh_database, "SELECT path_text FROM mirpipe.track_file ORDER BY 1")
    assert shown == [(f"{library}/{name}",) for name in ("below/three.ogg", "one.wav", "two.flac")]
    for key in bucket.list_keys():
        copy = tmp_path / "local" / key
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(bucket.read(key))
    result = ingest([tmp_path / "local"], collection="reference")
    require_counts(result, seen=3, duplicate=3)
    assert tables(fresh_database, with_times=False)[0] == in_bucket


def test_the_commands_take_addresses(
    fresh_database: Database, bucket: Bucket, library: str, tmp_path: Path
) -> None:
    manifest = tmp_path / "labels.csv"
    manifest.write_text(f"path,title\none.wav,First\n{library}/two.flac,Second\n")
    options = ["--collection", "reference", "--manifest", str(manifest)]
    ran = CliRunner().invoke(app, ["ingest", f"{library}/", *options, "--json"])
    assert (ran.exit_code, json.loads(ran.stdout)["added"]) == (0, 3)
    assert states(fresh_database) == {"First": "ok", "Second": "ok", "three": "ok"}
    ran = CliRunner().invoke(app, ["embed", "--encoder", "signal", "--json"])
    assert json.loads(ran.stdout)["embedded"] == 3
    assert CliRunner().invoke(app, ["ingest", "s3:///x", *options]).exit_code == 2


def test_one_get_per_track_for_ingest_and_all_encoders(
    fresh_database: Database, bucket: Bucket, library: str
) -> None:
    ingest_bucket(library)
    assert embed(["signal", "musicnn"], batch_tracks=2).embedded == 6
    assert reads(bucket) == ["library/below/three.ogg", "library/one.wav", "library/two.flac"]
    vectors = query(fresh_database, "SELECT count(*) FROM mirpipe.embedding")
    assert vectors == [(6,)]


def test_a_rescan_reads_no_object(fresh_database: Database, bucket: Bucket, library: str) -> None:
    ingest_bucket(library)
    before = tables(fresh_database)
    bucket.put("library/two.flac", bucket.read("library/two.flac"))  # the same content, a new time
    bucket.proxy.requests.clear()
    require_counts(ingest_bucket(library), seen=3, unchanged=3)
    assert {request.is_list for request in bucket.proxy.requests} == {True}
    assert tables(fresh_database) == before


def test_only_changed_objects_are_read(
    fresh_database: Database, bucket: Bucket, library: str
) -> None:
    ingest_bucket(library)
    bucket.put("library/two.flac", audio(7))
    bucket.put("library/.hidden/four.flac", audio(8))
    bucket.put("library/notes.txt", b"")
    bucket.delete("library/one.wav")
    bucket.proxy.requests.clear()
    require_counts(ingest_bucket(library), seen=2, unchanged=1, added=1, gone=2)
    assert reads(bucket) == ["library/two.flac"]


def test_a_moved_object_is_the_same_track(
    fresh_database: Database, bucket: Bucket, library: str
) -> None:
    ingest_bucket(library)
    bucket.put("library/moved.flac", bucket.read("library/two.flac"))
    bucket.delete("library/two.flac")
    require_counts(ingest_bucket(library), seen=3, unchanged=2, moved=1, relabelled=1)
    assert set(states(fresh_database).values()) == {"ok"}


def test_one_object_is_a_library_too(
    fresh_database: Database, bucket: Bucket, library: str
) -> None:
    require_counts(ingest_bucket(f"{library}/two.flac"), seen=1, added=1)


@pytest.mark.parametrize("fault", [Fault(0), Fault(503, "SlowDown"), Fault(400, "ExpiredToken")])
def test_a_bucket_that_cannot_be_listed_changes_nothing(
    fresh_database: Database, bucket: Bucket, library: str, fault: Fault
) -> None:
    ingest_bucket(library)
    before = tables(fresh_database)
    bucket.proxy.spoil = lambda request: fault if request.is_list else None
    with pytest.raises(StorageUnavailable):
        ingest_bucket(library, allow_removal=True)
    assert tables(fresh_database) == before


def test_a_listing_that_ends_early_marks_nothing_as_gone(
    fresh_database: Database, bucket: Bucket, library: str
) -> None:
    ingest_bucket(library)
    before = tables(fresh_database)
    bucket.proxy.spoil = lambda request: Fault(cut_body=True) if request.is_list else None
    with pytest.raises(StorageUnavailable):
        ingest_bucket(library)
    assert tables(fresh_database) == before


def test_a_bucket_that_goes_away_during_ingest(
    fresh_database: Database, bucket: Bucket, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest_bucket(library)
    bucket.put("library/two.flac", audio(7))
    bucket.put("library/four.flac", audio(8))
    bucket.proxy.spoil = lambda request: Fault(503, "SlowDown") if request.is_read else None
    require_counts(ingest_bucket(library), seen=4, unchanged=2, failed=2)
    assert states(fresh_database) == STATES
    failures = query(fresh_database, "SELECT reason, retry FROM mirpipe.failure")
    assert failures == [("unreachable", True)] * 2
    bucket.proxy.spoil = lambda _request: None
    monkeypatch.setattr(buckets, "OUTAGE_SECONDS", 0)
    require_counts(ingest_bucket(library), seen=4, unchanged=2, added=2, gone=1)
    assert query(fresh_database, "SELECT * FROM mirpipe.failure") == []


def test_an_object_that_is_replaced_or_deleted_during_ingest(
    fresh_database: Database, bucket: Bucket, library: str
) -> None:
    ingest_bucket(library)
    bucket.put("library/two.flac", audio(7))
    bucket.put("library/four.flac", audio(8))

    def replace(request: Request) -> None:
        if request.is_read and request.key == "library/two.flac":
            bucket.put("library/two.flac", audio(9))
        if request.is_read and request.key == "library/four.flac":
            bucket.delete("library/four.flac")

    bucket.proxy.spoil = replace
    require_counts(ingest_bucket(library), seen=4, unchanged=2, changing=2)
    assert states(fresh_database) == STATES
    bucket.proxy.spoil = lambda _request: None
    require_counts(ingest_bucket(library), seen=3, unchanged=2, added=1, gone=1)


def test_an_object_that_is_replaced_or_deleted_while_its_content_is_sent(
    fresh_database: Database, bucket: Bucket, library: str
) -> None:
    ingest_bucket(library)
    for number, name in enumerate(("two", "four", "five")):
        bucket.put(f"library/{name}.flac", audio(10 + number))
    parts: Counter[str] = Counter()

    def replace(request: Request) -> Fault | None:
        if not request.is_read or request.key not in ("library/two.flac", "library/four.flac"):
            return None
        parts[request.key] += 1
        if parts[request.key] == 1:
            return Fault(cut_body=True)
        # The client now asks for the rest of the old content.
        if request.key == "library/two.flac":
            bucket.put("library/two.flac", audio(20))
        else:
            bucket.delete("library/four.flac")
        return None

    bucket.proxy.spoil = replace
    require_counts(ingest_bucket(library), seen=5, unchanged=2, added=1, changing=2)
    assert min(parts.values()) > 1
    bucket.proxy.spoil = lambda _request: None
    require_counts(ingest_bucket(library), seen=4, unchanged=3, added=1, gone=1)


def test_an_object_that_is_replaced_before_it_is_embedded(
    fresh_database: Database, bucket: Bucket, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest_bucket(library)
    bucket.put("library/two.flac", audio(7))
    monkeypatch.setenv("MIRPIPE_OBJECT_CACHE_DIR", str(settings().object_cache / "of-another-host"))
    settings.cache_clear()
    result = embed(["signal"], batch_tracks=8)
    assert (result.embedded, result.failed) == (2, 1)
    ((message, retry),) = query(fresh_database, "SELECT message, retry FROM mirpipe.failure")
    assert f"changed since it was ingested: {library}/two.flac" in str(message)
    assert retry
    require_counts(ingest_bucket(library), seen=3, unchanged=2, added=1, gone=1)
    assert embed(["signal"], batch_tracks=8).embedded == 1


def test_a_damaged_copy_is_downloaded_again(
    fresh_database: Database, bucket: Bucket, library: str
) -> None:
    ingest_bucket(library)
    for copy in settings().object_cache.iterdir():
        copy.write_bytes(b"damaged")
    assert embed(["signal"], batch_tracks=8).failed == 3
    require_counts(ingest_bucket(library), seen=3, unchanged=3)
    assert embed(["signal"], batch_tracks=8).embedded == 3


def test_a_bucket_that_goes_away_before_embedding(
    fresh_database: Database, bucket: Bucket, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest_bucket(library)
    for copy in settings().object_cache.iterdir():
        copy.unlink()
    bucket.proxy.spoil = lambda _request: Fault(400, "ExpiredToken")
    assert embed(["signal"], batch_tracks=8).failed == 3
    failures = query(fresh_database, "SELECT DISTINCT reason, retry FROM mirpipe.failure")
    assert failures == [("StorageUnavailable", True)]
    assert states(fresh_database) == STATES
    bucket.proxy.spoil = lambda _request: None
    monkeypatch.setattr(buckets, "OUTAGE_SECONDS", 0)
    assert embed(["signal"], batch_tracks=8).embedded == 3


def test_a_bad_object_is_rejected_by_its_address(fresh_database: Database, bucket: Bucket) -> None:
    bucket.put("library/noise.flac", b"no audio")
    require_counts(ingest_bucket(f"{bucket.url}/library"), seen=1, rejected=1)
    ((reason, message),) = query(fresh_database, "SELECT reason, message FROM mirpipe.failure")
    assert reason == "not_audio"
    assert str(message).startswith(f"{bucket.url}/library/noise.flac is not audio")


def test_an_emptied_bucket_is_not_a_deleted_library(
    fresh_database: Database, bucket: Bucket, library: str
) -> None:
    ingest_bucket(library)
    for key in bucket.list_keys():
        bucket.delete(key)
    with pytest.raises(ConfigurationError, match="check the name of its bucket"):
        ingest_bucket(library)
    assert states(fresh_database) == STATES
    require_counts(ingest_bucket(library, allow_removal=True), gone=3)


def test_local_folders_and_buckets_share_a_collection(
    fresh_database: Database, bucket: Bucket, library: str, tmp_path: Path
) -> None:
    (tmp_path / "local").mkdir()
    (tmp_path / "local" / "one.flac").write_bytes(audio(7))
    roots: list[Address] = [tmp_path / "local", parse_address(library)]
    require_counts(ingest(roots, collection="reference"), seen=4, added=4)
    require_counts(ingest(roots, collection="reference"), seen=4, unchanged=4)


@pytest.mark.slow
def test_a_rescan_of_ten_thousand_objects_reads_none(
    fresh_database: Database, bucket: Bucket
) -> None:
    bucket = replace(bucket, name=LARGE_BUCKET)
    bucket.put("library/99/track.flac", audio(1))
    ingest_bucket(f"{bucket.url}/library/99")
    found = list(list_objects(S3Address(bucket.name, "library")))
    assert len(found) == 10_000
    with fresh_database.owner.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO mirpipe.track_file (collection, path, path_text, track_id, bytes, "
            "mtime_ns, ctime_ns, etag) SELECT 'reference', path, path_text, track_id, bytes, 0, 0, "
            "etag FROM mirpipe.track, unnest(%s::bytea[], %s::text[], %s::bigint[], %s::text[]) "
            "AS object (path, path_text, bytes, etag) ON CONFLICT DO NOTHING",
            (
                [os.fsencode(each.address) for each in found],
                [str(each.address) for each in found],
                [each.size for each in found],
                [each.etag for each in found],
            ),
        )
    bucket.proxy.requests.clear()
    require_counts(ingest_bucket(f"{bucket.url}/library"), seen=10_000, unchanged=10_000)
    assert len(bucket.proxy.requests) == 10
    assert {request.is_list for request in bucket.proxy.requests} == {True}
